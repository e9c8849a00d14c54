# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is said about a mirror that was probed."""

from __future__ import annotations

from dockmgrd.messages.text import Template

# Causes: clauses that follow the name of a mirror
TOO_MANY_REQUESTS = Template(
    "too-many-requests", "{host} received too many requests from here. Try again later"
)
CLIENT_CERTIFICATE_WANTED = Template(
    "client-certificate-wanted",
    "{host} wants a client certificate that it knows: client.cert and client.key in its directory "
    "under /etc/docker/certs.d",
)
BLOB_DENIED = Template(
    "blob-denied", "{host} answered {status} for a layer, as mirrors with an allow-list do"
)
ACCESS_DENIED = Template("access-denied-by-mirror", "{host} denied access to {item} ({status})")
PROXY_OR_MIRROR_FAILED = Template(
    "proxy-or-mirror-failed",
    "{host}, or the proxy {proxy} of Docker Engine for it, answered {status}",
)
SERVER_FAILED = Template("server-failed", "{host} answered {status} for {item}")
IMAGE_MISSING = Template("image-missing", "{host} does not have the image {image} ({status})")
WEB_PAGE = Template("web-page", "{host} answers with a web page, such as a login portal")
NO_REGISTRY = Template("no-registry", "{host} answered {status} for {item}; it is not a registry")
ITEM_API = Template("item-api", "/v2/")
ITEM_TOKEN = Template("item-token", "a token")
ITEM_MANIFEST = Template("item-manifest", "the image's manifest")
ITEM_LAYER = Template("item-layer", "a layer")

MIRROR_SILENT = Template("mirror-silent", "{host} did not answer within {seconds} seconds")
PROXY_SILENT = Template(
    "proxy-silent",
    "the proxy {proxy} of Docker Engine did not answer within {seconds} seconds",
)
MIRROR_SILENT_THROUGH_PROXY = Template(
    "mirror-silent-through-proxy",
    "{host} did not answer within {seconds} seconds through the proxy {proxy} of Docker Engine",
)
NAME_UNKNOWN = Template("name-unknown", "the name {host} has no address")
NOTHING_LISTENS = Template("nothing-listens", "{host} refuses connections")
CONNECTION_LOST = Template("connection-lost", "{host} closed the connection early")
HOST_UNREACHABLE = Template("host-unreachable", "{host} cannot be reached: {reason}")
BAD_REDIRECT = Template("bad-redirect", "{host} redirects to an address that is not valid")
REDIRECT_WITHOUT_TLS = Template(
    "redirect-without-tls", "{host} redirects to an address without TLS"
)
REDIRECT_LOOP = Template("redirect-loop", "{host} redirects in a circle")
NOT_HTTP = Template("not-http", "the answer of {host} is not HTTP")
ANSWER_TOO_LARGE = Template(
    "answer-too-large", "the answer of {host} is far larger than that of a registry"
)
CERTIFICATE_UNTRUSTED = Template(
    "certificate-untrusted", "the certificate of {host} is not trusted: {reason}"
)
CERTIFICATE_OF_FUTURE = Template(
    "certificate-of-future",
    "the certificate of {host} is not valid yet; the clock of this host may be behind",
)
TLS_FAILED = Template("tls-failed", "TLS with {host} failed: {reason}")

MANIFEST_CORRUPT = Template(
    "manifest-corrupt", "the manifest from {host} does not have the digest that it announces"
)
MANIFEST_INVALID = Template("manifest-invalid", "the manifest from {host} is not valid")
MANIFEST_WITHOUT_IMAGE = Template(
    "manifest-without-image", "the manifest from {host} names no image"
)
MANIFEST_WITHOUT_LAYER = Template(
    "manifest-without-layer", "the manifest from {host} names no small layer"
)
LAYER_CORRUPT = Template(
    "layer-corrupt", "the layer from {host} does not have the digest in the manifest"
)
TOKEN_INVALID = Template("token-invalid", "the token from {host} is not valid")
PASSWORD_WANTED = Template("password-wanted", "{host} wants a user name and a password")
IMAGE_DIFFERS = Template("image-differs", "its image differs from that of most other mirrors")

# Certificates
CERTIFICATES_UNREADABLE = Template("certificates-unreadable", "{path} cannot be read: {reason}")
CERTIFICATE_WITHOUT_KEY = Template(
    "certificate-without-key",
    "{path} has no key {key} beside it, so no image can be pulled; name the certificate of an "
    "authority *.crt",
)
KEY_WITHOUT_CERTIFICATE = Template(
    "key-without-certificate",
    "{path} has no client certificate {certificate} beside it, so no image can be pulled",
)
NOT_A_CERTIFICATE = Template(
    "not-a-certificate",
    "{path} and {key} are not a certificate and its key, so no image can be pulled",
)

# Proxies
PROXY_KIND_UNKNOWN = Template(
    "proxy-kind-unknown",
    "not tried: Docker Engine uses the {scheme} proxy {proxy}, and only http proxies can be tried",
)
PROXY_NAME_UNKNOWN = Template(
    "proxy-name-unknown", "the name of the proxy {proxy} of Docker Engine has no address"
)
PROXY_REFUSES = Template("proxy-refuses", "the proxy {proxy} of Docker Engine refuses connections")
PROXY_UNREACHABLE = Template(
    "proxy-unreachable", "the proxy {proxy} of Docker Engine cannot be reached: {reason}"
)
PROXY_CANNOT_REACH = Template(
    "proxy-cannot-reach", "the proxy {proxy} of Docker Engine cannot reach it ({status})"
)
PROXY_BLOCKS = Template("proxy-blocks", "the proxy {proxy} of Docker Engine blocks it ({status})")
PROXY_CREDENTIALS_UNKNOWN = Template(
    "proxy-credentials-unknown",
    "the proxy {proxy} of Docker Engine wants credentials that only Docker Engine knows",
)
PROXY_CREDENTIALS_REJECTED = Template(
    "proxy-credentials-rejected",
    "the proxy {proxy} rejects the credentials of Docker Engine",
)
PROXY_CREDENTIALS_MISSING = Template(
    "proxy-credentials-missing",
    "the proxy {proxy} wants credentials, and Docker Engine has none",
)
PROXY_CONNECTION_LOST = Template(
    "proxy-connection-lost", "the proxy {proxy} of Docker Engine closed the connection early"
)
PROXY_NOT_HTTP = Template(
    "proxy-not-http", "the proxy {proxy} of Docker Engine does not speak HTTP"
)

# The job
NOTHING_TO_PROBE = Template("nothing-to-probe", "There is no candidate mirror to probe.")
NAME_A_MIRROR = Template("give-a-mirror", "Give the URL of a mirror.")
MIRRORS_TRIED = Template("mirrors-tried", "{count} of {total} mirrors probed")
MIRRORS_DISAGREE = Template(
    "mirrors-disagree", "The mirrors do not agree on the image that the tag stands for."
)
COMPARE_BEFORE_TRUST = Template(
    "compare-before-trust", "Probe again, or compare with Docker Hub before you trust one."
)
VERIFICATION_FAILED = Template(
    "verification-failed", "Nothing was changed, because mirrors do not work: {failures}."
)
MIRROR_AND_CAUSE = Template("mirror-and-cause", "{mirror} ({cause})")
LEAVE_OUT_MIRRORS = Template(
    "leave-out-mirrors", "Leave them out, or set them without verification."
)
TRIED_THROUGH_PROXY = Template(
    "tried-through-proxy",
    "Mirrors were probed through the proxy {proxy}, as Docker Engine is set up to use it.",
)
TRIED_WITHOUT_CREDENTIALS = Template(
    "tried-without-credentials",
    "Docker Engine has credentials for the proxy {proxy} that are not known here, so the proxy was "
    "used without them.",
)
NO_IMAGE_TO_PROBE = Template(
    "no-image-to-probe", "No small image of {registry} is known to try its mirrors with."
)
NAME_AN_IMAGE = Template(
    "name-an-image", "Name one under 'images' in a file in {path}, or use the mirrors untried."
)
