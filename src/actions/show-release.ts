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
import type { Deps } from './deps.ts'

/** The release of this id. @throws {Refusal} `not-found`. */
export async function requireRelease(db: Queryable, id: string): Promise<Release> {
  const release = await findRelease(db, id)
  if (!release) throw new Refusal('not-found', 'There is no such release.')
  return release
}

/** A release with its files and findings. A recipient sees only what is meant for them. */
export async function showRelease(
  deps: Deps,
  caller: Caller,
  id: string,
): Promise<{ release: Release; files: ReleaseFile[]; findings: Finding[] }> {
  authorize(caller, 'show-release')
  const release = await requireRelease(deps.pool, id)
  if (
    caller.kind === 'account' &&
    isOnlyRecipient(caller.roles) &&
    release.recipientId !== caller.id
  ) {
    throw new Refusal('not-found', 'There is no such release.')
  }
  const files = await filesOfRelease(deps.pool, id)
  return { release, files, findings: await findingsOf(deps.pool, id) }
}

function isOnlyRecipient(roles: readonly string[]): boolean {
  return roles.every((role) => role === 'recipient')
}
