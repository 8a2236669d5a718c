"""The catalog in MongoDB, or a server that speaks its protocol. The only package that imports pymongo and bson."""
