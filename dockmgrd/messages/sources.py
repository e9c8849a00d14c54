# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is said about the files of package sources, candidate mirrors and distributions."""

from __future__ import annotations

from dockmgrd.messages.text import Template

FILE_IGNORED = Template("file-ignored", "{file}, line {line}: {reason}. The file is ignored.")
FILE_UNREADABLE = Template(
    "source-file-unreadable", "{file} cannot be read: {reason}. It is ignored."
)
CORRECT_FILE = Template("correct-source-file", "Correct the file.")
FILE_LINE = Template("file-line", "{file}, line {line}: {reason}")

# Reasons
LIST_UNEXPECTED = Template("list-unexpected", "a list is not allowed here")
TEXT_EXPECTED = Template("text-expected", "a text is expected here, not a mapping")
MAPPING_EXPECTED = Template("mapping-expected", "a mapping is expected here, not a text")
LIST_EXPECTED = Template("list-expected", "a list is expected here, not a mapping")
YAML_NOT_UTF8 = Template("yaml-not-utf8", "it is not UTF-8")
YAML_INVALID = Template("yaml-invalid", "not valid YAML: {reason}")
YAML_ENDLESS = Template("yaml-endless", "an alias contains itself")
KEY_NOT_TEXT = Template("key-not-text", "a key must be a text")
KEY_OCCURS_TWICE = Template("key-occurs-twice", "'{key}' occurs twice")
FIELD_UNKNOWN = Template("field-unknown", "'{field}' is not one of {known}")
SOURCE_NAME_INVALID = Template("source-name-invalid", "'{name}' is not a valid name for a source")
NOT_TRUE_OR_FALSE = Template("not-true-or-false", "{field} must be true or false")
PREFIX_MISSING = Template("prefix-missing", "the source '{name}' has no prefix")
PREFIX_INVALID = Template(
    "prefix-invalid", "the prefix must be a URL such as https://mirror.example/docker-ce"
)
KEY_PATH_RELATIVE = Template(
    "key-path-relative", "the key must be the absolute path of a file of this host"
)
FINGERPRINT_INVALID = Template("fingerprint-invalid", "a fingerprint has 40 hexadecimal digits")

# Requests
SOURCE_UNKNOWN = Template("source-unknown", "There is no package source '{name}'.")
KNOWN_SOURCES = Template("known-sources", "Choose one of {names}.")
THIS_SYSTEM = Template("this-system", "this system ({source})")
PLATFORM_UNKNOWN = Template(
    "platform-unknown",
    "Docker has no packages for {platform}. It has packages for {distributions}.",
)
PLATFORM_VERSION_UNKNOWN = Template(
    "platform-version-unknown",
    "Docker has no packages for {platform}. Of {distribution} it has packages for version "
    "{versions}.",
)
CHOOSE_PLATFORM = Template(
    "choose-platform",
    "To use the packages of a system that this one is compatible with, give its platform "
    "(TREE/VERSION, such as rhel/9).",
)
IMAGE_NOT_VALID = Template(
    "catalog-image-not-valid", "the image must have the form REPOSITORY:TAG, such as {example}"
)
DATE_NOT_VALID = Template("catalog-date-not-valid", "{field} must be a date such as {example}")
SOURCE_NAME_RESERVED = Template("source-name-reserved", "'{name}' is reserved")

# Measuring
SOURCE_TOO_SLOW = Template("source-too-slow", "{host} did not send enough within {seconds} seconds")
SOURCE_STATUS = Template("source-status", "{host} answered {status}")
ANSWER_NOT_VALID = Template("source-answer-not-valid", "{host} does not answer as a repository")
PACKAGE_LIST_CORRUPT = Template(
    "package-list-corrupt", "the package list from {host} does not have the digest in repomd.xml"
)
PACKAGE_CORRUPT = Template("measured-package-corrupt", "{host} sends a damaged package")
DNF_PROXY_FAILED = Template(
    "dnf-proxy-failed", "the proxy {proxy} in dnf.conf cannot be used for it"
)
CLAUSE_END = Template("measured-clause", "{clause}.")
FASTEST_CHOSEN = Template(
    "fastest-source",
    "{source} is the fastest of {count} sources: {latency} ms, {throughput} KiB/s, metadata of "
    "{date}, measured on {measured} UTC.",
)
NO_SOURCE_TO_MEASURE = Template(
    "no-source-to-measure", "There is no package source that may be measured."
)
NO_SOURCE_MEASURED = Template(
    "no-source-measured", "None of the package sources works from here. {reasons}"
)
NAME_A_SOURCE = Template("name-a-source", "Name a source, or check the network.")
