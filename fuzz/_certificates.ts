/** Certificates and a CRL to begin with, made by openssl with Ed25519 keys; valid until 2126. */

/** A root CA. */
export const AUTHORITY: Uint8Array = Uint8Array.fromBase64(
  "MIIBIDCB06ADAgECAhROwRGLsscNw6uZn/spvWh30Y32RjAFBgMrZXAwDDEKMAgGA1UEAwwBQTAgFw0yNjExMjMw" +
    "MzMwMTlaGA8yMTI2MTAzMDAzMzAxOVowDDEKMAgGA1UEAwwBQTAqMAUGAytlcAMhANs8AZJzI1AJuJZY5tixlxFs" +
    "vDmvqUJ4q05TvSgtkPn7o0UwQzASBgNVHRMBAf8ECDAGAQH/AgEBMA4GA1UdDwEB/wQEAwIBBjAdBgNVHQ4EFgQU" +
    "EDHpXDf6IbVgUgVxs3P1/S1mR+wwBQYDK2VwA0EAcF+CxvhNanjedN4f9f3MROO8kIQ087EhaRp8XtJe+XwIGpQj" +
    "Tb6L8e243O4EbEorfUh1LPOwxhKLEg4nI0wCCQ==",
);

/** A client certificate that it issued. */
export const LEAF: Uint8Array = Uint8Array.fromBase64(
  "MIIBazCCAR2gAwIBAgIDAIABMAUGAytlcDAMMQowCAYDVQQDDAFBMCAXDTI2MTEyMzAzMzAxOVoYDzIxMjYxMDMw" +
    "MDMzMDE5WjAPMQ0wCwYDVQQDDARsZWFmMCowBQYDK2VwAyEAPo3NNxuzi7v+PmO5paGwzssUbN7OOee2b7an28uP" +
    "NpSjgZwwgZkwCQYDVR0TBAIwADALBgNVHQ8EBAMCB4AwEwYDVR0lBAwwCgYIKwYBBQUHAwIwKgYDVR0RBCMwIYIJ" +
    "YS5leGFtcGxlhgV1cm46YYENYUBleGFtcGxlLm9yZzAfBgNVHSMEGDAWgBQQMelcN/ohtWBSBXGzc/X9LWZH7DAd" +
    "BgNVHQ4EFgQUtIkL/oDyMfP3fiDk2khuC1x56+4wBQYDK2VwA0EAbtlgxAZAFbOFnsahggfqXiznP7ux8LFnuMIy" +
    "kv2o4DxsvAYx7u+KuK8T6v9HTuEvCXvqbWCY+osQwOP4fzISBw==",
);

/** A CRL of it, with one entry. */
export const REVOCATIONS: Uint8Array = Uint8Array.fromBase64(
  "MIIBAjCBtQIBATAFBgMrZXAwDDEKMAgGA1UEAwwBQRcNMjYxMTIzMDMzMDE5WhgPMjEyNjEwMzAwMzMwMTlaMCQw" +
    "IgIDAIACFw0yNjExMjMwMzMwMTlaMAwwCgYDVR0VBAMKAQGgVTBTMB8GA1UdIwQYMBaAFBAx6Vw3+iG1YFIFcbNz" +
    "9f0tZkfsMCQGA1UdHAEB/wQaMBigFqAUhhJodHRwOi8vMTI3LjAuMC4xL2EwCgYDVR0UBAMCAQEwBQYDK2VwA0EA" +
    "0pa9s07sxOADosePX6Nbc0mxr+RfZ2f2uV94eFbKG8KVoU4V0by8cji3oKv45lTQ8TKOuOxEiGeoCn/kw1QzCg==",
);

/** A moment at which all of them are valid. */
export const VALID_MS: number = Date.UTC(2030, 0, 1);
