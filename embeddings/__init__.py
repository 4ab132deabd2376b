"""The embedding space: what a row and a number stand for, the numbers, and how they are packed."""
