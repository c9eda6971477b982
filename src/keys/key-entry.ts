/** One key of a keyring: how it is named, when it may be used, and what of it is no secret. */
import type { KeyPurpose } from './key-purposes.ts'
import type { KeyEntry } from './keyring-file.ts'

/** Which key: without an epoch, the active one. */
export type KeyRef = {
  purpose: KeyPurpose
  project?: string | undefined // uuid
  domain?: string | undefined
  epoch?: number | undefined
}

/** A key as others may know it. */
export type KeyDescription = Omit<KeyEntry, 'wrapped' | 'publicKey'> & {
  publicKey?: Uint8Array // 65-byte point of P-256, or 32 bytes of Ed25519
}

/** Whether a key goes by this name, whatever its state. */
export function isNamed(entry: KeyEntry, { purpose, project, domain, epoch }: KeyRef): boolean {
  const isSame = entry.purpose === purpose && entry.project === project && entry.domain === domain
  return isSame && (epoch === undefined || entry.epoch === epoch)
}

/** Whether a key that goes by a name may be used under it. */
export function isUsable({ state }: KeyEntry, { epoch }: KeyRef): boolean {
  return state === 'active' || (state === 'verify-only' && epoch !== undefined)
}

/** The key without its secret. */
export function describe({ wrapped: _, publicKey, ...entry }: KeyEntry): KeyDescription {
  return publicKey === undefined ? entry : { ...entry, publicKey: Buffer.from(publicKey, 'base64') }
}
