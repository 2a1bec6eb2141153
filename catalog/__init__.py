"""Everything that knows what a product is: attributes, photos, texts, catalogues; no model."""
