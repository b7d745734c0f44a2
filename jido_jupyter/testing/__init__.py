"""For tests of this package and of stores that others write."""
