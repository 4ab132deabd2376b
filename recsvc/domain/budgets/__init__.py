"""What all cardholders together may use of an item, and how fast.

``limits`` says what is set aside, ``pacing`` spreads a budget over its window.
"""

from recsvc.domain.budgets.limits import BudgetLimits, Spent
from recsvc.domain.budgets.pacing import is_ahead_of_pace, is_paced

__all__ = ["BudgetLimits", "Spent", "is_ahead_of_pace", "is_paced"]
