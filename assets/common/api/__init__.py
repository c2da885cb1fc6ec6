"""The API's base classes: views, serializers, filters, pagination, parsers and the schema."""
