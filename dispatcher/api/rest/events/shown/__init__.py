"""Events as REST shows them."""
