"""What a model knows of offers, held against answers that no usage tells.

Read in this order: ``fitting`` (a model as a run would publish it), ``offers`` (the truth of a
simulated issuer), ``coupons`` (households that redeemed real ones).
"""
