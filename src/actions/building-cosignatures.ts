import { searchLeaves } from '../store/audit.ts'
import { bestCosigned } from '../store/cosignatures.ts'
import type { Queryable } from '../store/pool.ts'
import type { Release } from '../store/releases.ts'

const leavesMax = 10

/**
 * How many witnesses of its project have cosigned one checkpoint that covers the building of a release.
 *
 * The leaf that is meant is the one that holds the manifest's digest: it is written in the transaction that makes the
 * release reviewable, so it is there before every finding and approval, and everything after binds to that digest. A
 * witness that cosigned a checkpoint over it will not cosign a trail in which another manifest stands there. All must have
 * cosigned the same checkpoint: then none of them was shown another history than the others.
 */
export async function cosignaturesOfBuilding(db: Queryable, release: Release): Promise<number> {
  const { id: object, projectId: project } = release
  const manifest = Buffer.from(release.manifestSha256 ?? '').toString('hex')
  const search = { action: 'build-release', object, project, limit: leavesMax }
  const leaves = await searchLeaves(db, search)
  const leaf = leaves.find(({ entry }) => manifestIn(entry) === manifest)
  if (!leaf) throw new Error('the building of a built release is in the trail')
  const best = await bestCosigned(db, { projectId: project, leaf: leaf.number })
  return best?.cosignatures ?? 0
}

function manifestIn(entry: Buffer): string | undefined {
  const { digests }: { digests?: Record<string, string> } = JSON.parse(entry.toString('utf8'))
  return digests?.['manifest']
}
