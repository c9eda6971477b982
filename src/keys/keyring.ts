/**
 * The keyring of one side: it computes with its keys and never gives one away.
 *
 * Keys of the same purpose, project and domain follow each other as epochs. The newest is `active`.
 * Its forerunners are `verify-only`: found only by their epoch or id, to finish or check what was
 * made with them. A destroyed key stays as a memory. Every change is one revision of the file, made
 * under a lock by two people, and every process that has the keyring open sees it at its next use.
 */
import { type KeyObject, sign as signBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { Refusal } from '../core/errors.ts'
import { type MacAlgorithm, macColumn, macOf } from '../core/mac.ts'
import { pseudonymsOf } from '../core/pseudonym.ts'
import { unwrapKey } from './aes-kwp.ts'
import { lockFile } from './file-lock.ts'
import { describe, isNamed, isUsable, type KeyDescription, type KeyRef } from './key-entry.ts'
import { openBase, usableKey } from './key-material.ts'
import type { KeyAlgorithm, KeyringSide } from './key-purposes.ts'
import { type Act, type NewKey, withKey, withoutKeys } from './keyring-change.ts'
import { authenticated, type KeyEntry, type KeyringContent, keyringText } from './keyring-file.ts'
import { readKeyring, replaceKeyringFile, stampNow } from './keyring-store.ts'
import type { KeyringSecrets } from './passphrase.ts'

export type { KeyRef } from './key-entry.ts'

export type KeyAdded = { id: string; epoch: number; publicKey?: Uint8Array }

type Opened = { content: KeyringContent; sha256: Buffer; stamp: string }

export class Keyring {
  readonly #path: string
  readonly #secrets: KeyringSecrets
  readonly #keys = new Map<string, KeyObject>()
  #opened: Opened

  /** For `openKeyring`, which has checked everything. */
  constructor(path: string, secrets: KeyringSecrets, opened: Opened) {
    this.#path = path
    this.#secrets = secrets
    this.#opened = opened
  }

  get side(): KeyringSide {
    return this.#opened.content.side
  }

  /** Counted from 1; each change is one. */
  get revision(): number {
    return this.#current().revision
  }

  /** Digest of the file's bytes, for the trail. */
  get sha256(): Buffer {
    this.#current()
    return Buffer.from(this.#opened.sha256)
  }

  /** Whether a key can be used by this name. */
  has(ref: KeyRef): boolean {
    return this.#find(ref).some((entry) => isUsable(entry, ref))
  }

  /** @throws {Refusal} `not-found`, `key-destroyed`. */
  describe(ref: KeyRef): KeyDescription {
    return describe(this.#entry(ref))
  }

  /** All keys that are or were, oldest first. */
  list(): KeyDescription[] {
    return this.#current().keys.map(describe)
  }

  /**
   * Makes a key. Without an epoch it is the first one; the next epoch takes the place of the active
   * one, which becomes `verify-only`.
   *
   * @throws {Refusal} `own-act` if one person makes and approves, `already-exists`,
   * `state-conflict` for an epoch out of turn.
   */
  async addKey(key: NewKey, act: Omit<Act, 'by'> & { createdBy: string }): Promise<KeyAdded> {
    const { createdBy: by, ...rest } = act
    const { result } = await this.#change((content) =>
      withKey(content, this.#secrets.wrapping, key, { by, ...rest }),
    )
    const { id, epoch, publicKey } = describe(result)
    return { id, epoch, ...(publicKey === undefined ? {} : { publicKey }) }
  }

  /**
   * Destroys a key, or all epochs of it if none is named: what it protects is gone with it, once
   * copies of the file are.
   *
   * @returns the ids of the destroyed keys.
   * @throws {Refusal} `own-act`, `not-found`, `key-destroyed` if it was destroyed before.
   */
  async destroyKey(ref: KeyRef, act: Omit<Act, 'by'> & { destroyedBy: string }): Promise<string[]> {
    const { destroyedBy: by, ...rest } = act
    const { result } = await this.#change((content) => {
      const found = content.keys.filter((entry) => isNamed(entry, ref))
      if (found.every(({ state }) => state === 'destroyed')) this.#entry(ref)
      return withoutKeys(content, found, { by, ...rest })
    })
    for (const id of result) this.#keys.delete(id)
    return result
  }

  /** The MAC of one message: 16 bytes of CMAC, 32 of HMAC. */
  mac(ref: KeyRef, message: Uint8Array): Uint8Array {
    const { entry, key } = this.#use(ref)
    return macOf(macAlgorithmOf(entry), key, message)
  }

  /** The MACs of n messages of `width` bytes: n × 16 bytes; see `core/mac.ts`. */
  macColumn(ref: KeyRef, messages: Uint8Array, width: 16 | 32): Uint8Array {
    const { entry, key } = this.#use(ref)
    return macColumn(macAlgorithmOf(entry), key, messages, width)
  }

  /** The pseudonyms of n persons: n × 16 bytes both; see `core/pseudonym.ts`. */
  pseudonyms(ref: KeyRef & { purpose: 'pseudonym' }, persons: Uint8Array): Uint8Array {
    return pseudonymsOf(this.#use(ref).key, persons)
  }

  /**
   * Signs with the active key (Ed25519; 64 bytes). @throws {Refusal} `not-found`, `key-destroyed`,
   * `state-conflict`.
   */
  sign(ref: KeyRef & { purpose: 'audit' | 'release-signature' }, bytes: Uint8Array): Uint8Array {
    const { entry, key } = this.#use(ref)
    if (entry.state !== 'active') {
      throw new Refusal('state-conflict', 'This key signs no more; sign with the active one.')
    }
    return signBytes(null, bytes, key)
  }

  /** The public half. @throws {Refusal} `not-found`, `key-destroyed`. */
  publicKey(ref: KeyRef): Uint8Array {
    const { publicKey } = this.describe(ref)
    if (publicKey === undefined) throw new TypeError('A secret key has no public half.')
    return publicKey
  }

  /**
   * Opens what was sealed to the key with this id: HPKE base mode, P-256, HKDF-SHA-256,
   * AES-256-GCM.
   *
   * @throws {Refusal} `sealed-object-damaged`, also if no key has the id, since a changed id looks
   * like that; `key-destroyed`.
   */
  async openSealed(
    keyId: string,
    enc: Uint8Array,
    ciphertext: Uint8Array,
    info: Uint8Array,
  ): Promise<Uint8Array> {
    const entry = this.#current().keys.find(({ id }) => id === keyId)
    if (entry === undefined || entry.purpose !== 'sealing') {
      throw new Refusal(
        'sealed-object-damaged',
        'The object is damaged, or sealed to a key that is not on this keyring.',
      )
    }
    if (entry.state === 'destroyed') refuseDestroyed()
    return openBase(this.#key(entry), { enc, info }, ciphertext)
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }

  #use(ref: KeyRef): { entry: KeyEntry; key: KeyObject } {
    const entry = this.#entry(ref)
    return { entry, key: this.#key(entry) }
  }

  #find(ref: KeyRef): KeyEntry[] {
    return this.#current().keys.filter((entry) => isNamed(entry, ref))
  }

  #entry(ref: KeyRef): KeyEntry {
    const named = this.#find(ref)
    const usable = named.find((entry) => isUsable(entry, ref))
    if (usable !== undefined) return usable
    if (named.length > 0) refuseDestroyed()
    throw new Refusal('not-found', 'The keyring has no such key; make it, or name an epoch it has.')
  }

  #key(entry: KeyEntry): KeyObject {
    const known = this.#keys.get(entry.id)
    if (known !== undefined) return known
    const secret = unwrapKey(this.#secrets.wrapping, Buffer.from(entry.wrapped ?? '', 'base64'))
    if (secret === undefined)
      throw new Error('An authenticated keyring has a key that does not unwrap.')
    const key = usableKey(entry.algorithm, secret)
    secret.fill(0)
    this.#keys.set(entry.id, key)
    return key
  }

  /** The newest content: what another process has written since is read, checked and taken over. */
  #current(): KeyringContent {
    if (stampNow(this.#path) !== this.#opened.stamp) {
      const { file, sha256, stamp } = readKeyring(this.#path)
      const content = authenticated(file, this.#secrets)
      const [then, now] = [this.#opened.content.revision, content.revision]
      if (now < then || (now === then && !sha256.equals(this.#opened.sha256))) {
        throw new Refusal('keyring-refused', 'An older keyring was put back; restore the newest.')
      }
      for (const { id, state } of content.keys) if (state === 'destroyed') this.#keys.delete(id)
      this.#opened = { content, sha256, stamp }
    }
    return this.#opened.content
  }

  async #change<Result>(
    change: (content: KeyringContent) => { content: KeyringContent; result: Result },
  ): Promise<{ result: Result }> {
    const lock = await lockFile(this.#path)
    try {
      const current = this.#current()
      const { content, result } = change(current)
      const next = { ...content, revision: current.revision + 1 }
      await replaceKeyringFile(this.#path, keyringText(next, this.#secrets), lock.isHeld)
      this.#current()
      return { result }
    } finally {
      await lock.release()
    }
  }
}

function macAlgorithmOf({ algorithm }: { algorithm: KeyAlgorithm }): MacAlgorithm {
  if (algorithm === 'aes-256' || algorithm === 'hpke-p256' || algorithm === 'ed25519') {
    throw new TypeError('A key for something else makes no MAC.')
  }
  return algorithm
}

function refuseDestroyed(): never {
  throw new Refusal('key-destroyed', 'The key is destroyed, and with it what it protected.')
}
