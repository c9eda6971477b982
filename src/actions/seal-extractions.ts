/**
 * The lists that agencies may fetch before they pseudonymise anything: each its own serials that were linked. They are made
 * while the linkage is, because afterwards the key side cannot open the maps; and sealed to the desk, from which the API
 * hands them on. A serial says nothing to anybody but its agency, so all lists share the desk's own key.
 */
import { join } from 'node:path'
import { writeExtraction } from '../engine/extract.ts'
import type { Linked } from '../engine/link.ts'
import type { LinkDelivery } from '../engine/linkage/agencies.ts'
import type { Session } from '../engine/session.ts'
import { appendLeaf } from '../store/audit.ts'
import { type Extraction, extractionObjects, insertExtractions } from '../store/extractions.ts'
import { endObjects, insertObjects } from '../store/objects.ts'
import type { Tx } from '../store/pool.ts'
import { agenciesOfProject } from '../store/projects.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { type SealedFile, sealFile } from './sealed-files.ts'

/** A list as it was sealed, and whose it is. */
export type SealedExtraction = SealedFile & { agencyId: string; agency: string; serials: number }

/** Writes the list of every agency that delivered keys, over all its waves, and seals it. */
export async function sealExtractions(
  deps: WorkerDeps,
  run: JobRun,
  made: { session: Session; deliveries: readonly LinkDelivery[]; linked: Linked },
): Promise<SealedExtraction[]> {
  const { projectId } = run.job
  const sealed: SealedExtraction[] = []
  for (const { agency, agencyId } of await agenciesOfProject(deps.pool, projectId)) {
    const own = made.deliveries.filter((delivery) => delivery.agency === agency)
    const maps = own.flatMap(({ deliveryId }) => made.linked.maps[deliveryId]?.file ?? [])
    if (maps.length === 0) continue
    const path = join(run.scratchDir, `extraction-${sealed.length}.csv`)
    const serials = await writeExtraction(made.session, maps, path)
    const file = await sealFile(deps, path, { projectId, kind: 'extraction', side: 'desk' })
    sealed.push({ ...file, agency, agencyId, serials })
  }
  return sealed
}

/**
 * Publishes the lists of a linkage and ends those of the linkages before it, of which nobody should send any more.
 *
 * @returns the objects that ended, to be destroyed after the commit.
 */
export async function publishExtractions(
  deps: WorkerDeps,
  tx: Tx,
  of: { linkageId: string; projectId: string },
  sealed: readonly SealedExtraction[],
): Promise<string[]> {
  const earlier = await extractionObjects(tx, of.projectId)
  await endObjects(tx, earlier)
  await insertObjects(
    tx,
    sealed.map(({ object }) => object),
  )
  const { linkageId } = of
  const rows = sealed.map(({ object, agencyId, serials, plainBytes, plainSha256 }): Extraction => {
    const list = { serials, bytes: plainBytes, sha256: plainSha256 }
    return { linkageId, agencyId, objectId: object.id, ...list }
  })
  await insertExtractions(tx, rows)
  for (const { agency, serials, plainSha256 } of sealed) {
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'seal-extraction', `${linkageId}/${agency}`),
      project: of.projectId,
      counts: { serials },
      digests: { extraction: plainSha256.toString('hex') },
    })
  }
  return earlier
}
