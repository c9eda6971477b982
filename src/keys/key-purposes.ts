/**
 * What keys there are: what each is for, which algorithms may do it, and whose keyring holds it.
 */
import type { MacAlgorithm } from '../core/mac.ts'

export const keyringSides = ['api', 'key', 'data', 'sign'] as const
export type KeyringSide = (typeof keyringSides)[number]

/**
 * `aes-256`: the permutation of pseudonyms. `hpke-p256`: RFC 9180 base mode. `ed25519`: RFC 8032.
 */
export type KeyAlgorithm = MacAlgorithm | 'aes-256' | 'hpke-p256' | 'ed25519'

type Rule = {
  algorithms: readonly [KeyAlgorithm, ...KeyAlgorithm[]]
  sides: readonly KeyringSide[]
}

const macs = ['cmac-aes-256', 'cmac-aria-256', 'hmac-sha-256'] as const

/** The first algorithm of a purpose is its default. */
export const keyRules = {
  linkage: { algorithms: macs, sides: ['key'] },
  person: { algorithms: macs, sides: ['key'] },
  sealing: { algorithms: ['hpke-p256'], sides: ['api', 'key', 'data'] },
  pseudonym: { algorithms: ['aes-256'], sides: ['data'] },
  date: { algorithms: macs, sides: ['data'] },
  rekey: { algorithms: macs, sides: ['data'] },
  session: { algorithms: ['hmac-sha-256'], sides: ['api'] },
  audit: { algorithms: ['ed25519'], sides: ['sign'] },
  'release-signature': { algorithms: ['ed25519'], sides: ['sign', 'data'] },
  'delivery-order': { algorithms: macs, sides: ['key', 'data'] },
} as const satisfies Record<string, Rule>

export type KeyPurpose = keyof typeof keyRules

/**
 * The purposes a keyring has a key for from its first day; all others come with a project or a
 * release.
 */
export const firstPurposes = {
  api: ['session', 'sealing'],
  key: [],
  data: ['release-signature'],
  sign: ['audit', 'release-signature'],
} as const satisfies Record<KeyringSide, readonly KeyPurpose[]>

/** The rule of a purpose, with its lists as wide as they may be. */
export function ruleOf(purpose: KeyPurpose): Rule {
  return keyRules[purpose]
}
