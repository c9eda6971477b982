/**
 * Every way this service can refuse. A code is a promise to callers: it is never renamed.
 * Each edge translates codes with one exhaustive table, so a new code compiles only when all edges have decided.
 */
export type RefusalCode =
  | 'address-taken'
  | 'already-exists'
  | 'body-too-large'
  | 'canary-mismatch'
  | 'certificate-missing'
  | 'column-missing'
  | 'column-unknown'
  | 'cosignatures-missing'
  | 'credentials-wrong'
  | 'delivery-incomplete'
  | 'digest-differs'
  | 'disk-full'
  | 'epoch-retired'
  | 'file-changed'
  | 'finding-missing'
  | 'grant-missing'
  | 'history-differs'
  | 'identifier-in-payload'
  | 'input-malformed'
  | 'key-destroyed'
  | 'key-not-canonical'
  | 'keyring-refused'
  | 'manifest-differs'
  | 'media-type-unknown'
  | 'not-found'
  | 'option-unknown'
  | 'outside-period'
  | 'own-act'
  | 'passphrase-wrong'
  | 'policy-refused'
  | 'queue-refused'
  | 'range-unsatisfiable'
  | 'schema-unknown'
  | 'sealed-object-damaged'
  | 'signature-wrong'
  | 'state-conflict'
  | 'too-many-attempts'
  | 'too-many-bad-rows'
  | 'wave-differs'

/** A refusal the caller can act on. Anything else that is thrown is a defect or an outage. */
export class Refusal extends Error {
  readonly code: RefusalCode
  /** Where to look, as counts and positions: never a key, a token, a serial or a value. */
  readonly details: Readonly<Record<string, string | number>>

  /** `sentence` is fixed and says what to do: never a key, a token, a serial or a value in it. */
  constructor(
    code: RefusalCode,
    sentence: string,
    details: Readonly<Record<string, string | number>> = {},
    options?: ErrorOptions,
  ) {
    super(sentence, options)
    this.name = 'Refusal'
    this.code = code
    this.details = details
  }
}
