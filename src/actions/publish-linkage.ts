import type { Linked } from '../engine/link.ts'
import { appendLeaf } from '../store/audit.ts'
import { insertCases } from '../store/cases.ts'
import { endLease } from '../store/leases.ts'
import { forgetKeyMaps, type Linkage, type LinkMap, saveLinked } from '../store/linkages.ts'
import { endObjects, insertObjects } from '../store/objects.ts'
import { replaceParts, type ThinnedPart, tokenParts } from '../store/parts.ts'
import { inTransaction } from '../store/pool.ts'
import type { Project } from '../store/projects.ts'
import { closeTickets } from '../store/tickets.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { retireOlderKeys } from './retire-keys.ts'
import { ringFor } from './ring.ts'
import { publishExtractions, type SealedExtraction } from './seal-extractions.ts'
import { type SealedFile, sealFile } from './sealed-files.ts'

type Made = {
  linkage: Linkage
  /** As it was when the linkage began. */
  project: Project
  previous: Linkage | undefined
  linked: Linked
  extractions: SealedExtraction[]
  /** Lists of doubts that it has read. */
  doubts: string[]
}

/**
 * Seals what a linkage made to the side that reads it next, and publishes it in one transaction. The key index of the
 * linkage before, and the copies of its maps that the key side had, are destroyed, for the next linkage goes on from this
 * one; tickets about its cases are closed, and what was doubted is a case now.
 */
export async function publishLinkage(deps: WorkerDeps, run: JobRun, made: Made): Promise<void> {
  const { job } = run
  const { projectId } = job
  const { linkage, project, previous, linked, extractions, doubts } = made
  const linkageId = linkage.id
  const sealed = await sealAll(deps, projectId, made)
  const { change } = linked.report
  const counts = {
    persons: linked.persons,
    deliveries: sealed.maps.length,
    indexVersion: change.version,
    founded: change.founded,
    merged: change.merged,
    split: change.split,
    expired: change.expired,
  }
  const { wake, forgotten } = await inTransaction(deps.pool, 'link', async (tx) => {
    const parents = await endLease(tx, job, { state: 'done', result: counts })
    await insertObjects(
      tx,
      sealed.files.map((file) => file.object),
    )
    const ids = {
      personsObjectId: sealed.persons.object.id,
      indexObjectId: sealed.index.object.id,
      changesObjectId: sealed.changes.object.id,
      caseListObjectId: sealed.caseList.object.id,
    }
    await saveLinked(
      tx,
      {
        id: linkageId,
        ...ids,
        persons: linked.persons,
        personsSha256: sealed.persons.plainSha256,
        previousId: previous?.id ?? null,
        indexVersion: change.version,
        lateWave: linked.lateWave,
        epoch: project.epoch,
        report: linked.report,
      },
      sealed.maps,
    )
    const thinned = await replaceParts(tx, sealed.tokens)
    await insertCases(tx, { linkageId, projectId }, linked.worklist)
    const maps = previous ? await forgetKeyMaps(tx, previous.id) : []
    const index = previous?.indexObjectId ? [previous.indexObjectId] : []
    const cases = previous?.caseListObjectId ? [previous.caseListObjectId] : []
    const closed = await closeTickets(tx, projectId)
    const notices = await retireOlderKeys(deps, tx, project)
    const gone = [...maps, ...index, ...cases, ...thinned, ...closed, ...notices, ...doubts]
    await endObjects(tx, gone)
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'link', linkageId),
      project: projectId,
      counts,
      digests: {
        persons: sealed.persons.plainSha256.toString('hex'),
        keyIndex: sealed.index.plainSha256.toString('hex'),
      },
    })
    const ended = await publishExtractions(deps, tx, { linkageId, projectId }, extractions)
    return { wake: parents, forgotten: [...gone, ...ended] }
  })
  await Promise.all(forgotten.map((object) => deps.vault.destroy(object)))
  await ringFor(deps, wake)
}

type Sealed = {
  persons: SealedFile
  index: SealedFile
  changes: SealedFile
  caseList: SealedFile
  maps: LinkMap[]
  /** Parts of keys that are written again with less in them. */
  tokens: ThinnedPart[]
  files: SealedFile[]
}

async function sealAll(
  deps: WorkerDeps,
  projectId: string,
  { linkage, linked }: Made,
): Promise<Sealed> {
  const data = { projectId, side: 'data' } as const
  const key = { projectId, side: 'key' } as const
  const persons = await sealFile(deps, linked.personsFile, { ...data, kind: 'persons' })
  const changes = await sealFile(deps, linked.changesFile, { ...data, kind: 'person-changes' })
  const index = await sealFile(deps, linked.indexFile, { ...key, kind: 'key-index' })
  const caseList = await sealFile(deps, linked.caseListFile, { ...data, kind: 'case-list' })
  const files: SealedFile[] = [persons, changes, index, caseList]
  const maps: LinkMap[] = []
  for (const [deliveryId, { file, serials, linked: links }] of Object.entries(linked.maps)) {
    const map = await sealFile(deps, file, { ...data, kind: 'link-map' })
    const own = await sealFile(deps, file, { ...key, kind: 'key-map' })
    files.push(map, own)
    const objects = { objectId: map.object.id, keyObjectId: own.object.id }
    maps.push({ linkageId: linkage.id, deliveryId, ...objects, serials, linked: links })
  }
  const tokens: ThinnedPart[] = []
  for (const [deliveryId, thinned] of Object.entries(linked.thinned)) {
    const parts = await tokenParts(deps.pool, deliveryId)
    for (const [at, { number }] of parts.entries()) {
      const tokenFile = await sealFile(deps, thinned[at] ?? '', { ...key, kind: 'tokens' })
      files.push(tokenFile)
      tokens.push({ deliveryId, table: '', number, objectId: tokenFile.object.id })
    }
  }
  return { persons, index, changes, caseList, maps, tokens, files }
}
