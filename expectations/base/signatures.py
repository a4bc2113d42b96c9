"""SSH signatures (SSHSIG, as `ssh-keygen -Y sign` makes them) with Ed25519 keys.

Chosen because every requester already has the tool that makes them: `ssh-keygen -Y sign -n sluicegate-letter -f KEY
FILE`. The namespace ties a signature to its use, so that a signed letter can never be replayed as a decision.
Verification is `sshsig`'s; the format has no library that signs, so `sign` writes its few fields (PROTOCOL.sshsig,
OpenSSH).
"""

import base64
import hashlib
import struct
from pathlib import Path

import sshsig
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sshsig.ssh_public_key import PublicKey
from sshsig.sshsig import SshsigSignature

from expectations.base.errors import BadInput

LETTER, DECISION, MANIFEST = "sluicegate-letter", "sluicegate-decision", "sluicegate-manifest"
SIGNED_HEAD, INSTRUMENT, OPERATOR = "sluicegate-checkpoint", "sluicegate-instrument", "sluicegate-operator"
RECALL, ATTESTATION, BASELINE = "sluicegate-recall", "sluicegate-attestation", "sluicegate-baseline"
COMPLIANCE, KEYS, CLOCK = "sluicegate-compliance", "sluicegate-keys", "sluicegate-clock"
BACKUP, OPENING, SIGN_IN = "sluicegate-backup", "sluicegate-opening", "sluicegate-sign-in"
SCHEME = "sluicegate-scheme"


def generate(path: Path, comment: str) -> str:
    """Writes a new private key to `path` (0600) and `path`.pub; returns the public key's line."""
    private = generated()
    path.touch(mode=0o600)
    path.write_bytes(private)
    public = f"{public_line(parse(private, path.name))} {comment}"
    path.with_name(path.name + ".pub").write_text(public + "\n")
    return public


def generated() -> bytes:
    """A new private key, in OpenSSH form."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )


def public_line(key: Ed25519PrivateKey) -> str:
    """The public half, as a line of authorized_keys without comment."""
    public = key.public_key()
    return public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode("ascii")


def load(path: Path) -> Ed25519PrivateKey:
    """The private key at `path`; raises BadInput if it is not an unencrypted Ed25519 key in OpenSSH form."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(error, path.name) from None
    return parse(data, path.name)


def parse(data: bytes, where: str) -> Ed25519PrivateKey:
    """The private key that is written so; raises BadInput as `load` does. `where`: what it is from."""
    try:
        key = serialization.load_ssh_private_key(data.strip() + b"\n", password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unreadable(error, where) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadInput("KEY_NOT_ED25519", "the signing key is not an Ed25519 key", where=where)
    return key


def _unreadable(error: Exception, where: str) -> BadInput:
    why = f"the signing key cannot be read: {type(error).__name__}"
    remedy = "Give an unencrypted Ed25519 key made by ssh-keygen -t ed25519."
    return BadInput("KEY_UNREADABLE", why, where=where, remedy=remedy)


def public_lines(path: Path) -> list[str]:
    """The public keys in a file, one a line; raises BadInput if it cannot be read, or holds other than Ed25519 keys."""
    try:
        lines = [line.strip() for line in path.read_text().splitlines() if line.strip()]
        if lines and all(isinstance(serialization.load_ssh_public_key(n.encode()), Ed25519PublicKey) for n in lines):
            return lines
    except (OSError, ValueError, UnsupportedAlgorithm):
        pass
    remedy = "Give the .pub file of an Ed25519 key, as the holder published it."
    raise BadInput("KEY_UNREADABLE", "the public key cannot be read", where=path.name, remedy=remedy)


def sign(message: bytes, key: Ed25519PrivateKey, namespace: str) -> str:
    """An armored SSH signature of `message`."""
    use = (namespace.encode(), b"", b"sha512")
    signed = b"SSHSIG" + _strings(*use, hashlib.sha512(message).digest())
    signature = _strings(b"ssh-ed25519", key.sign(signed))
    public = base64.b64decode(public_line(key).split()[1])
    blob = b"SSHSIG" + struct.pack(">I", 1) + _strings(public, *use, signature)
    text = base64.b64encode(blob).decode("ascii")
    lines = [text[i : i + 70] for i in range(0, len(text), 70)]
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""])


def signer(message: bytes, signature: str, allowed: list[str], namespace: str) -> str | None:
    """The line of `allowed` (public keys) that made this signature, or None: wrong key, message, namespace or form."""
    for line in allowed:
        try:
            allowed_key = PublicKey.from_openssh_str(" ".join(line.split()[:2]))
            sshsig.verify(message, signature, [allowed_key], namespace=namespace)
        except Exception:  # whatever is wrong with it, it is no signature of this key
            continue
        return line
    return None


def named(signature: str) -> tuple[str, str] | None:
    """The public key (a line of authorized_keys) and namespace that this signature names; None if it is none.

    What it names is not proven: `signer` proves it.
    """
    try:
        found = SshsigSignature.from_armored(signature)
        kind = struct.unpack(">I", found.public_key[:4])[0]
        name = found.public_key[4 : 4 + kind].decode("ascii")
        return f"{name} {base64.b64encode(found.public_key).decode('ascii')}", found.namespace.decode("ascii")
    except Exception:  # whatever is wrong with it, it is no signature
        return None


def made_by(message: bytes, signature: str, namespace: str) -> str | None:
    """The public key (a line of authorized_keys) that this signature names and that did make it, or None.

    What can be known without an agreement: whose key it is, is not judged.
    """
    found = named(signature)
    return signer(message, signature, [found[0]], namespace) if found else None


def _strings(*data: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(one)) + one for one in data)
