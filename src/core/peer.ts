/** Who is at the other end of a connection: an address, and the certificate that was shown and found good. */

export interface Peer {
  /** Undefined where the connection is gone. */
  address: string | undefined
  certificate: PeerCertificate | undefined
}

/** Of a client, checked against `tollgate.tls.client_ca`. */
export interface PeerCertificate {
  /** `CN=alice,O=Example` */
  subject: string
  /** The common name; undefined where there is none. */
  commonName: string | undefined
  /** Alternative names as they stand in it: `DNS:alice.example.com`, `email:alice@example.com`, `URI:spiffe://…`. */
  names: readonly string[]
  /** SHA-256 of the whole certificate, hex in lower case without colons. */
  fingerprint: string
  /** ms since the epoch. */
  validTo: number
}
