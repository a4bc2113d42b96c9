"""Where a request comes from, as it is counted and told of: its address, or of IPv6 the network that one household or
one office has, since whoever has one address there has them all."""

from ipaddress import IPv6Address, ip_address, ip_network

from starlette.requests import Request

from expectations.base.hash_key import HashKey

_HOUSEHOLD = 64  # bits


def address(request: Request) -> str:
    """In text; empty if the server does not say."""
    said = request.client.host if request.client else ""
    try:
        found = ip_address(said.partition("%")[0])
    except ValueError:
        return said
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ip_network((found, _HOUSEHOLD), strict=False))
    return str(found)


def digest(address: str, key: HashKey) -> str:
    """Its keyed hash: two of the same are seen to be one, and nobody without the key learns which."""
    return key.keyed_hash(f"address of a browser: {address}")
