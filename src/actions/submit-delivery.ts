import { createHash } from 'node:crypto'
import { canonicalJson } from '../core/canonical.ts'
import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { isOfKeys, type Manifest } from '../core/manifest.ts'
import { appendLeaf } from '../store/audit.ts'
import { type Delivery, lockDelivery, submitOpenDelivery } from '../store/deliveries.ts'
import { insertJobs, type NewJob } from '../store/jobs.ts'
import { type Part, partsOfDelivery } from '../store/parts.ts'
import { inTransaction, type Tx } from '../store/pool.ts'
import { type Deps, leafBy } from './deps.ts'
import { ringFor } from './ring.ts'
import { requireDelivery } from './show-delivery.ts'
import { requireProject } from './show-project.ts'

/**
 * Closes a delivery over exactly the parts that its manifest lists, and stores the jobs that take them in, all in one
 * transaction.
 *
 * @returns the job whose end is the end of the intake.
 * @throws {Refusal} `not-found`, `state-conflict`, `delivery-incomplete`, `digest-differs`, `epoch-retired`, `wave-differs`,
 *   `manifest-differs`.
 */
export async function submitDelivery(
  deps: Deps,
  caller: Caller,
  submission: { deliveryId: string; manifest: Manifest },
): Promise<string> {
  authorize(caller, 'submit-delivery')
  const { manifest } = submission
  const delivery = await requireDelivery(deps.pool, caller, submission.deliveryId)
  const jobs = await inTransaction(deps.pool, 'submit-delivery', async (tx) => {
    if ((await lockDelivery(tx, delivery.id, 'update')) !== 'open') {
      throw new Refusal('state-conflict', 'The delivery is already submitted.')
    }
    await requireLivingKey(tx, delivery)
    const parts = await partsOfDelivery(tx, delivery.id)
    requireSameParts(delivery, manifest, parts)
    const wanted = intakeJobs(deps, delivery, parts)
    const manifestSha256 = createHash('sha256').update(canonicalJson(manifest)).digest()
    const jobId = wanted[0]?.jobId ?? ''
    await submitOpenDelivery(tx, { id: delivery.id, manifest, manifestSha256, jobId })
    await insertJobs(tx, wanted)
    await appendLeaf(tx, {
      ...leafBy(caller, 'submit-delivery', delivery.id),
      project: delivery.projectId,
      counts: { parts: parts.length },
      digests: { manifest: manifestSha256.toString('hex') },
    })
    return wanted
  })
  await ringFor(deps, jobs.slice(1))
  return jobs[0]?.jobId ?? ''
}

/** What was opened under a linkage key that is destroyed by now cannot be taken in. */
async function requireLivingKey(tx: Tx, delivery: Delivery): Promise<void> {
  const { retiredEpoch } = await requireProject(tx, delivery.projectId)
  if (delivery.keysDeliveryId || delivery.epoch > retiredEpoch) return
  throw new Refusal(
    'epoch-retired',
    'The linkage key was changed since the delivery was opened. Withdraw it and deliver again.',
  )
}

/**
 * The parts that arrived must be the parts of the manifest: none missing, none more, each with its bytes. Without keys are
 * the parts of a delivery that rests on the keys of another, and of no other.
 */
function requireSameParts(delivery: Delivery, manifest: Manifest, parts: Part[]): void {
  if (manifest.wave !== delivery.wave) {
    throw new Refusal('wave-differs', 'The manifest is for another wave than the delivery.')
  }
  if (manifest.project !== undefined && manifest.project !== delivery.projectId) {
    throw new Refusal('manifest-differs', 'The manifest is for another project than the delivery.')
  }
  const nameOf = (part: { table: string; number: number }): string => `${part.table}/${part.number}`
  const arrived = new Map(parts.map((part) => [nameOf(part), part]))
  if (!delivery.keysDeliveryId && !parts.some((part) => part.table === '')) {
    throw new Refusal('delivery-incomplete', 'A delivery needs at least one part of keys.')
  }
  for (const listed of manifest.parts) {
    const part = arrived.get(nameOf(listed))
    const where = { table: listed.table, number: listed.number }
    if (!part) throw new Refusal('delivery-incomplete', 'A part of the manifest is missing.', where)
    if (Buffer.from(part.sha256).toString('hex') !== listed.sha256 || part.bytes !== listed.bytes) {
      throw new Refusal('digest-differs', 'A part is not the one the manifest lists.', where)
    }
    arrived.delete(nameOf(listed))
  }
  if (arrived.size > 0) {
    throw new Refusal('delivery-incomplete', 'Parts arrived that the manifest does not list.', {
      parts: arrived.size,
    })
  }
}

/** A parent that waits, and a child for every part. The parent is first. */
function intakeJobs(deps: Deps, delivery: Delivery, parts: Part[]): NewJob[] {
  const parent: NewJob = {
    jobId: deps.randomUuid(),
    projectId: delivery.projectId,
    side: 'data',
    kind: 'take-delivery',
    subject: { delivery: delivery.id },
    state: 'waiting',
  }
  const children = parts.map(
    (part): NewJob => ({
      jobId: deps.randomUuid(),
      projectId: delivery.projectId,
      parentId: parent.jobId,
      side: isOfKeys(part.table) ? 'key' : 'data',
      kind: intakeOf(part.table),
      subject: { delivery: delivery.id, table: part.table, number: String(part.number) },
    }),
  )
  return [parent, ...children]
}

function intakeOf(table: string): string {
  if (table === '') return 'intake-keys'
  return isOfKeys(table) ? 'intake-notices' : 'intake-table'
}
