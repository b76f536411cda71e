from reliability.stores import place

__all__ = ["place"]
