import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import type { Queryable } from '../store/pool.ts'
import {
  type Finding,
  filesOfRelease,
  findingsOf,
  type ReleaseFile,
} from '../store/release-files.ts'
import { findRelease, type Release } from '../store/releases.ts'
import { auditProofName, auditProofOf, proofFile } from './audit-proof.ts'
import type { Deps } from './deps.ts'

type ShownFile = Pick<ReleaseFile, 'name' | 'bytes' | 'rows' | 'sha256'>

/** The release of this id. @throws {Refusal} `not-found`. */
export async function requireRelease(db: Queryable, id: string): Promise<Release> {
  const release = await findRelease(db, id)
  if (!release) throw new Refusal('not-found', 'There is no such release.')
  return release
}

/**
 * A release with its files and findings. The proof of its publication is among the files as soon as there is one. A
 * recipient sees only what is meant for them.
 */
export async function showRelease(
  deps: Deps,
  caller: Caller,
  id: string,
): Promise<{ release: Release; files: ShownFile[]; findings: Finding[] }> {
  authorize(caller, 'show-release')
  const release = await requireRelease(deps.pool, id)
  if (
    caller.kind === 'account' &&
    isOnlyRecipient(caller.roles) &&
    release.recipientId !== caller.id
  ) {
    throw new Refusal('not-found', 'There is no such release.')
  }
  const files: ShownFile[] = await filesOfRelease(deps.pool, id)
  const proof = release.state === 'ready' ? await auditProofOf(deps.pool, release) : undefined
  if (proof !== undefined) files.push({ name: auditProofName, rows: null, ...proofFile(proof) })
  return { release, files, findings: await findingsOf(deps.pool, id) }
}

function isOnlyRecipient(roles: readonly string[]): boolean {
  return roles.every((role) => role === 'recipient')
}
