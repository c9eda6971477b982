import type { Readable } from 'node:stream'
import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import { appendLeaf } from '../store/audit.ts'
import { inTransaction } from '../store/pool.ts'
import { findReleaseFile, type ReleaseFile } from '../store/release-files.ts'
import { findRelease } from '../store/releases.ts'
import { type Deps, leafBy } from './deps.ts'

/**
 * Opens a file of an approved release for its recipient. The leaf is written before the first byte leaves.
 *
 * @throws {Refusal} `grant-missing`, `not-found` (also for another's release), `state-conflict`, `outside-period`.
 */
export async function readReleaseFile(
  deps: Deps,
  caller: Caller,
  wanted: { releaseId: string; name: string },
): Promise<{ file: ReleaseFile; body: Readable }> {
  authorize(caller, 'read-release-file')
  const recipient = accountOf(caller)
  const { file, projectId, objectId } = await inTransaction(
    deps.pool,
    'read-release',
    async (tx) => {
      const release = await findRelease(tx, wanted.releaseId)
      if (release?.recipientId !== recipient.id) {
        throw new Refusal('not-found', 'There is no such release.')
      }
      if (release.state !== 'ready') {
        throw new Refusal('state-conflict', 'The release is not open for its recipient.')
      }
      if (!release.validUntil || tx.now >= release.validUntil) {
        throw new Refusal('outside-period', 'The period of the release is over.')
      }
      const found = await findReleaseFile(tx, release.id, wanted.name)
      if (!found?.deskObjectId) throw new Refusal('not-found', 'The release has no such file.')
      await appendLeaf(tx, {
        ...leafBy(caller, 'read-release-file', `${release.id}/${found.name}`),
        project: release.projectId,
        counts: { bytes: found.bytes },
        digests: { file: Buffer.from(found.sha256).toString('hex') },
      })
      return { file: found, projectId: release.projectId, objectId: found.deskObjectId }
    },
  )
  const body = await deps.vault.openRead(
    (keyId, enc, ciphertext, info) => deps.keyring.openSealed(keyId, enc, ciphertext, info),
    { project: projectId, kind: 'desk-file', objectId },
  )
  return { file, body }
}
