"""Everything that knows what a product is: attributes, pictures, descriptions, catalogues; knows no model."""
