"""The dashboard: layout only; what its pages show comes from `application.queries.views`."""
