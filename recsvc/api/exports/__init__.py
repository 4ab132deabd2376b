"""Lists of cardholders as files: lines that no spreadsheet executes, and parquet."""
