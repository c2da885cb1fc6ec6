"""The Django admin's base classes."""
