"""Operations: logs, metrics, health checks, middleware, sessions and limits of requests."""
