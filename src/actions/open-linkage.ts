/** What a linkage reads: the tokens of every delivery, and what the linkage before it left. */
import { join } from 'node:path'
import { noticesTable } from '../core/manifest.ts'
import type { ToLink } from '../engine/link.ts'
import type { LinkDelivery } from '../engine/linkage/agencies.ts'
import type { Doubts } from '../engine/waves/doubts.ts'
import { type Delivery, deliveriesOfProject } from '../store/deliveries.ts'
import { pendingDoubts } from '../store/doubts.ts'
import { type Linkage, linkMapsOf } from '../store/linkages.ts'
import { partsOfDelivery } from '../store/parts.ts'
import { agenciesOfProject } from '../store/projects.ts'
import type { JobRun, WorkerDeps } from './deps.ts'
import { openFile } from './sealed-files.ts'

/** Opens the tokens of every delivery that has been taken in. @param epoch - of the linkage key in force. */
export async function openTokens(
  deps: WorkerDeps,
  run: JobRun,
  epoch: number,
): Promise<LinkDelivery[]> {
  const { projectId } = run.job
  const members = await agenciesOfProject(deps.pool, projectId)
  const deliveries = await deliveriesOfProject(deps.pool, projectId, ['taken'])
  const opened: LinkDelivery[] = []
  for (const delivery of deliveries) {
    if (delivery.keysDeliveryId) continue // It rests on the keys of another, which are here.
    const member = members.find((other) => other.agencyId === delivery.agencyId)
    if (!member) throw new Error('a delivery is of an agency outside the project')
    opened.push({
      deliveryId: delivery.id,
      agency: delivery.agency,
      wave: delivery.wave,
      isSpine: member.isSpine,
      isDuplicateFree: member.isDuplicateFree,
      keyTypes: member.keyTypes,
      files: await openTokensOf(deps, run, delivery, ''),
      noticeFiles: await openTokensOf(deps, run, delivery, noticesTable),
      isRetired: delivery.epoch < epoch,
    })
  }
  return opened
}

async function openTokensOf(
  deps: WorkerDeps,
  run: JobRun,
  delivery: Delivery,
  table: string,
): Promise<string[]> {
  const { projectId } = delivery
  const files: string[] = []
  for (const part of await partsOfDelivery(deps.pool, delivery.id)) {
    if (part.table !== table || !part.takenObjectId) continue
    const path = join(run.scratchDir, `${delivery.id}-${table}-${part.number}.parquet`)
    await openFile(deps, { id: part.takenObjectId, projectId, kind: 'tokens' }, path)
    files.push(path)
  }
  return files
}

/** Opens the key index and the maps that the linkage before left; nothing before the first. */
export async function openHistory(
  deps: WorkerDeps,
  run: JobRun,
  { linkage, previous }: { linkage: Linkage; previous: Linkage | undefined },
): Promise<Pick<ToLink, 'known' | 'before'>> {
  if (!previous?.indexObjectId || previous.indexVersion === null) return {}
  const { projectId } = run.job
  const file = join(run.scratchDir, 'index.parquet')
  await openFile(deps, { id: previous.indexObjectId, projectId, kind: 'key-index' }, file)
  const deliveries = await deliveriesOfProject(deps.pool, projectId, ['taken'])
  const before: Record<string, string[]> = {}
  for (const { deliveryId, keyObjectId } of await linkMapsOf(deps.pool, previous.id)) {
    const agency = deliveries.find(({ id }) => id === deliveryId)?.agency
    if (!keyObjectId || agency === undefined) continue
    const path = join(run.scratchDir, `before-${deliveryId}.parquet`)
    await openFile(deps, { id: keyObjectId, projectId, kind: 'key-map' }, path)
    before[agency] = [...(before[agency] ?? []), path]
  }
  const { releasedVersions } = linkage
  const { indexVersion: version, epoch } = previous
  return { known: { file, version, epoch, releasedVersions }, before }
}

/** Opens what agencies came to doubt since the last linkage. */
export async function openDoubts(
  deps: WorkerDeps,
  run: JobRun,
): Promise<(Doubts & { objectId: string })[]> {
  const { projectId } = run.job
  const opened: (Doubts & { objectId: string })[] = []
  for (const { objectId, agency } of await pendingDoubts(deps.pool, projectId)) {
    const file = join(run.scratchDir, `doubts-${objectId}.csv`)
    await openFile(deps, { id: objectId, projectId, kind: 'doubts' }, file)
    opened.push({ objectId, agency, file })
  }
  return opened
}
