/**
 * The changes a keyring can go through, from one content to the next. Each is the act of two
 * people.
 */
import { type KeyObject, randomUUID } from 'node:crypto'
import { z } from 'zod'
import { Refusal } from '../core/errors.ts'
import { wrapKey } from './aes-kwp.ts'
import { newKeyMaterial } from './key-material.ts'
import { domainSchema, personSchema } from './key-names.ts'
import { type KeyAlgorithm, type KeyPurpose, ruleOf } from './key-purposes.ts'
import type { KeyEntry, KeyringContent } from './keyring-file.ts'

/** Who acts, who else approves, and when. */
export type Act = { by: string; approvedBy: string; now: Date }

/** A key to be made. The algorithm is the first of its purpose unless it is said, the epoch 1. */
export type NewKey = {
  purpose: KeyPurpose
  project?: string | undefined // uuid
  domain?: string | undefined
  epoch?: number | undefined
  algorithm?: KeyAlgorithm | undefined
}

/** What was changed, and what came of it. */
export type Changed<Result> = { content: KeyringContent; result: Result }

/** @throws {Refusal} `own-act`: nobody approves their own act. */
export function requireTwoPeople(act: Act): void {
  personSchema.parse(act.by)
  personSchema.parse(act.approvedBy)
  if (act.by === act.approvedBy) {
    throw new Refusal('own-act', 'A key act takes two people; let another person approve.')
  }
}

/** The content with one key more; an older epoch becomes `verify-only`. */
export function withKey(
  content: KeyringContent,
  wrapping: KeyObject,
  key: NewKey,
  act: Act,
): Changed<KeyEntry> {
  requireTwoPeople(act)
  const { purpose, project, domain, epoch = 1 } = key
  const algorithm = algorithmFor(content, key)
  if (project !== undefined) z.uuid().lowercase().parse(project)
  if (domain !== undefined) domainSchema.parse(domain)
  const isSame = (other: KeyEntry): boolean =>
    other.purpose === purpose && other.project === project && other.domain === domain
  requireNextEpoch(content.keys.filter(isSame), epoch)
  const { secret, publicKey } = newKeyMaterial(algorithm)
  const now = act.now.toISOString()
  const added: KeyEntry = {
    id: randomUUID(),
    purpose,
    ...(project === undefined ? {} : { project }),
    ...(domain === undefined ? {} : { domain }),
    epoch,
    algorithm,
    state: 'active',
    createdAt: now,
    createdBy: act.by,
    approvedBy: act.approvedBy,
    ...(publicKey === undefined ? {} : { publicKey: publicKey.toString('base64') }),
    wrapped: wrapKey(wrapping, secret).toString('base64'),
  }
  secret.fill(0)
  const retired = content.keys.map((other) =>
    isSame(other) && other.state === 'active'
      ? { ...other, state: 'verify-only' as const, retiredAt: now }
      : other,
  )
  return { content: { ...content, keys: [...retired, added] }, result: added }
}

/** The content with these keys destroyed; gives the ids of those that were not before. */
export function withoutKeys(
  content: KeyringContent,
  keys: KeyEntry[],
  act: Act,
): Changed<string[]> {
  requireTwoPeople(act)
  const ids = keys.filter(({ state }) => state !== 'destroyed').map(({ id }) => id)
  const now = act.now.toISOString()
  const after = content.keys.map((entry) => {
    if (!ids.includes(entry.id)) return entry
    const { wrapped: _, ...memory } = entry
    const destruction = {
      destroyedAt: now,
      destroyedBy: act.by,
      destructionApprovedBy: act.approvedBy,
    }
    return { ...memory, ...destruction, state: 'destroyed' as const }
  })
  return { content: { ...content, keys: after }, result: ids }
}

function algorithmFor(content: KeyringContent, { purpose, algorithm }: NewKey): KeyAlgorithm {
  const { algorithms, sides } = ruleOf(purpose)
  if (!sides.includes(content.side)) throw new TypeError('This side has no key of this purpose.')
  const chosen = algorithm ?? algorithms[0]
  if (!algorithms.includes(chosen)) throw new TypeError('The purpose has another algorithm.')
  return chosen
}

function requireNextEpoch(same: KeyEntry[], epoch: number): void {
  if (same.some((other) => other.epoch === epoch)) {
    throw new Refusal(
      'already-exists',
      'The keyring has this key; name the next epoch to replace it.',
    )
  }
  if (epoch !== same.length + 1) {
    throw new Refusal('state-conflict', 'Epochs follow each other; name the next one.')
  }
}
