"""What a model must beat: each tuned as the product is, none a straw man."""
