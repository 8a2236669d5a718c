"""The message stream on Kafka: topics, an idempotent producer, a consumer that goes on from recorded positions."""
