/**
 * A recipient takes a file of an approved release. The leaf of the beginning is written before the first byte leaves, the
 * leaf of the end says how many did. In both the reason is a salted digest: the text itself stays in the table of
 * downloads, from which it can go one day without the trail changing.
 */
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { type FileRange, rangeWanted } from '../core/byte-range.ts'
import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import { appendLeaf } from '../store/audit.ts'
import { endDownload, insertDownload } from '../store/downloads.ts'
import { inTransaction, type Tx } from '../store/pool.ts'
import { findReleaseFile } from '../store/release-files.ts'
import { findRelease, type Release } from '../store/releases.ts'
import type { ApprovedFiles } from './approved-files.ts'
import { auditProofName, auditProofOf, proofFile } from './audit-proof.ts'
import { type Deps, leafBy } from './deps.ts'
import type { ReleaseWatch } from './release-watch.ts'

/** Which file, why, and which bytes of it: `range` and `ifRange` are the request's headers. */
export type Taking = {
  releaseId: string
  name: string
  reason: string
  range?: string | undefined
  ifRange?: string | undefined
}

/** The file and its bytes. Call `ended` once when the connection was given them all, or is gone. */
export type TakenFile = {
  bytes: number
  sha256: Buffer
  range: FileRange
  body: Readable
  ended: () => Promise<void>
}

type Opened = { release: Release; bytes: number; sha256: Buffer; content: string | Buffer }

/**
 * Opens a file, or a range of it, for its recipient.
 *
 * @throws {Refusal} `grant-missing` (also for another's release), `not-found`, `state-conflict`, `outside-period`,
 *   `range-unsatisfiable`, `file-changed`.
 */
export async function readReleaseFile(
  deps: Deps & { watch: ReleaseWatch; approved: ApprovedFiles },
  caller: Caller,
  wanted: Taking,
): Promise<TakenFile> {
  authorize(caller, 'read-release-file')
  const { id: accountId } = accountOf(caller)
  const id = deps.randomUuid()
  const reasonSalt = randomBytes(16)
  const reason = createHash('sha256').update(reasonSalt).update(wanted.reason).digest('hex')
  const opened = await inTransaction(deps.pool, 'look-at-release', (tx) =>
    requireOpen(tx, accountId, wanted),
  )
  await requireApproved(deps.approved, opened)
  const begun = await inTransaction(deps.pool, 'read-release', async (tx) => {
    const opened = await requireOpen(tx, accountId, wanted)
    const { bytes, sha256, release } = opened
    const range = rangeWanted({ bytes, tag: tagOf(sha256) }, wanted)
    const { releaseId, name } = wanted
    const { start, end } = range
    const taking = { id, releaseId, name, accountId, address: caller.from, start, end }
    await insertDownload(tx, { ...taking, reason: wanted.reason, reasonSalt })
    await appendLeaf(tx, {
      ...leafBy(caller, 'read-release-file', `${releaseId}/${name}`),
      project: release.projectId,
      counts: { start, end, bytes },
      digests: { file: sha256.toString('hex'), reason },
      note: id,
    })
    return { ...opened, range }
  })
  const { source, sent } = counted(await contentOf(deps, begun))
  let isCut = false
  const unfollow = deps.watch.follow(wanted.releaseId, () => {
    isCut = true
    source.destroy(new Error('the release is no longer open'))
  })
  const { release, bytes, sha256, range } = begun
  const ended = async (): Promise<void> => {
    unfollow()
    source.destroy()
    const { bytesSent } = sent()
    const isComplete = !isCut && bytesSent === range.end - range.start
    await recordEnd(deps, caller, { id, release, name: wanted.name, reason, bytesSent, isComplete })
  }
  return { bytes, sha256, range, body: source, ended }
}

/** A file's strong entity tag: its digest. */
export function tagOf(sha256: Uint8Array): string {
  return `"${Buffer.from(sha256).toString('hex')}"`
}

async function requireOpen(tx: Tx, accountId: string, wanted: Taking): Promise<Opened> {
  const release = await findRelease(tx, wanted.releaseId)
  if (!release) throw new Refusal('not-found', 'There is no such release.')
  if (release.recipientId !== accountId) {
    throw new Refusal('grant-missing', 'The release is for another recipient.')
  }
  if (release.approvedBy && release.validUntil && tx.now >= release.validUntil) {
    throw new Refusal('outside-period', 'The period of the release is over.')
  }
  if (release.state !== 'ready') {
    throw new Refusal('state-conflict', 'The release is not open for its recipient.')
  }
  const proof = wanted.name === auditProofName ? await auditProofOf(tx, release) : undefined
  if (proof !== undefined) return { release, ...proofFile(proof) }
  const found = await findReleaseFile(tx, release.id, wanted.name)
  if (!found?.deskObjectId) throw new Refusal('not-found', 'The release has no such file.')
  const sha256 = Buffer.from(found.sha256)
  return { release, bytes: found.bytes, sha256, content: found.deskObjectId }
}

/** What is made for this answer (a proof) is not in the vault. */
async function requireApproved(approved: ApprovedFiles, opened: Opened): Promise<void> {
  const { release, sha256, content } = opened
  if (typeof content === 'string') {
    await approved.require({ id: content, projectId: release.projectId, sha256 })
  }
}

async function contentOf(
  deps: Deps,
  { release, content, range }: Opened & { range: FileRange },
): Promise<Readable> {
  const { start, end, isPartial } = range
  if (typeof content !== 'string') return Readable.from([content.subarray(start, end)])
  return deps.vault.openRead(
    (keyId, enc, ciphertext, info) => deps.keyring.openSealed(keyId, enc, ciphertext, info),
    { project: release.projectId, kind: 'desk-file', objectId: content },
    isPartial ? { start, end } : undefined,
  )
}

/** The stream, and how many bytes of it were handed on. */
function counted(from: Readable): { source: Readable; sent: () => { bytesSent: number } } {
  let bytesSent = 0
  async function* counting(): AsyncGenerator<Buffer> {
    for await (const chunk of from) {
      bytesSent += chunk.length
      yield chunk
    }
  }
  const source = Readable.from(counting(), { objectMode: false })
  return { source, sent: () => ({ bytesSent }) }
}

async function recordEnd(
  deps: Deps,
  caller: Caller,
  end: {
    id: string
    release: Release
    name: string
    reason: string
    bytesSent: number
    isComplete: boolean
  },
): Promise<void> {
  const outcome = end.isComplete ? 'complete' : 'cut'
  await inTransaction(deps.pool, 'end-release-file', async (tx) => {
    if (!(await endDownload(tx, end.id, { bytesSent: end.bytesSent, outcome }))) return
    await appendLeaf(tx, {
      ...leafBy(caller, 'read-release-file', `${end.release.id}/${end.name}`),
      action: 'end-release-file',
      outcome: end.isComplete ? 'done' : 'failed',
      project: end.release.projectId,
      counts: { bytesSent: end.bytesSent },
      digests: { reason: end.reason },
      note: `${outcome} ${end.id}`,
    })
  })
}
