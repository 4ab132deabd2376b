"""The embedding space: what a row stands for, what a number stands for, the numbers, how they are packed."""
