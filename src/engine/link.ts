/**
 * Links the serials of every delivery to persons around the spine, by the rules of `core/passes.ts`; the steps are in
 * `linkage/`, what goes on from wave to wave in `waves/`. Tokens, the key index and people's decisions in; out come the list
 * of persons, a delivery each the place of every serial in it, and the next key index. Only the index holds tokens.
 *
 * The same tokens, rules and person key give the same bytes, whatever the order of deliveries, files and rows and the
 * number of threads: the files are sorted, and a new person's number comes from tokens alone.
 */
import { join } from 'node:path'
import type { LinkCase } from '../core/link-case.ts'
import type { LinkageCounts } from '../core/linkage-report.ts'
import { type LinkRules, rulesVersion } from '../core/passes.ts'
import type { OnColumn } from './column-function.ts'
import {
  agenciesOf,
  isSent,
  type LinkDelivery,
  noticeFilesOf,
  requireOneSpine,
} from './linkage/agencies.ts'
import { clusterSizes } from './linkage/clusters.ts'
import { hubCounts, spinePairCounts } from './linkage/counts.ts'
import { requireInvariants } from './linkage/invariants.ts'
import { type Flows, mapAgencies, requireSoundMaps } from './linkage/map-agencies.ts'
import { requireOwnNumbers } from './linkage/person-list.ts'
import { recordSteps } from './linkage/records.ts'
import { type LinkProgress, runPasses } from './linkage/run-passes.ts'
import { weakerTypes } from './linkage/shared-keys.ts'
import { runSteps } from './run-steps.ts'
import type { Session } from './session.ts'
import { describeFiles } from './sorted-files.ts'
import type { Verdict } from './waves/decisions.ts'
import type { Doubts } from './waves/doubts.ts'
import type { KeyIndex } from './waves/known.ts'
import { leaveRun } from './waves/leave-run.ts'
import { takeHistory } from './waves/take-history.ts'

export type Linked = {
  /** Parquet: ordinal INTEGER from 0, person UUID; in order of both. */
  personsFile: string
  persons: number
  maps: Flows['maps']
  thinned: Flows['thinned']
  /** Deliveries up to this wave have lost their records of nobody. */
  lateWave: number
  /** The next version of the key index (`waves/known.ts`). For the key side only. */
  indexFile: string
  /** Parquet of `writeIndex`: which numbers were given up, and for which. For the data side. */
  changesFile: string
  /** Parquet of `writeCaseList`. For the data side. */
  caseListFile: string
  /** The gravest cases, at most `casesMax`. */
  worklist: LinkCase[]
  report: LinkageCounts
}

export type ToLink = {
  deliveries: readonly LinkDelivery[]
  rules: LinkRules
  /** Of the linkage key in force; 1 if it was never changed. */
  epoch?: number
  /** The key index that the last linkage wrote; none before the first. */
  known?: KeyIndex | undefined
  /** Agency → link maps of the last linkage. */
  before?: Readonly<Record<string, readonly string[]>>
  /** Of every case that people ever decided on. */
  verdicts?: readonly Verdict[]
  /** What agencies came to doubt since the last linkage. */
  doubts?: readonly Doubts[]
  /** Founding tokens (n × 16 bytes) → person numbers (n × 16 bytes). */
  personsOf: OnColumn
  outDir: string
  /** Told when the persons are known, and of each agency whose records all have their place. */
  onProgress?: (progress: LinkProgress) => void
}

/**
 * Runs a linkage.
 *
 * @throws {Refusal} `state-conflict` without exactly one agency as the spine, or when the result breaks an invariant;
 *   `input-malformed` when a serial is in two parts of a delivery; `epoch-retired` when the linkage key was changed and the
 *   spine has not yet delivered every record again.
 */
export async function linkPersons(session: Session, linkage: ToLink): Promise<Linked> {
  const { deliveries, rules, outDir, known, before = {} } = linkage
  const { epoch = 1, verdicts = [], doubts = [] } = linkage
  const isFirst = known === undefined
  const version = (known?.version ?? 0) + 1
  const tokens = deliveries.flatMap(({ files }) => files)
  const { rowsIn, sorted } = await describeFiles(session, tokens)
  const agencies = agenciesOf(deliveries, sorted)
  const spine = requireOneSpine(agencies)
  session.registerColumnFunction('person_of', 16, linkage.personsOf)
  const history = { known, epoch, verdicts, doubts, before }
  const about = { agencies, rowsIn, spine: spine.agency }
  const { torn, held } = await takeHistory(session, history, about)
  await runSteps(session, recordSteps(agencies, held > 0))
  const personsFile = join(outDir, 'persons.parquet')
  const { persons, sent, notices } = await runPasses(session, {
    agencies,
    spine,
    types: weakerTypes.filter((type) => isSent(deliveries, `K${type}`)),
    noticeFiles: noticeFilesOf(deliveries),
    rules,
    isFirst,
    version,
    personsFile,
    onProgress: linkage.onProgress,
  })
  const newest = Math.max(...deliveries.map(({ wave }) => wave))
  const lateWave = Math.max(0, newest - rules.lateWavesMax)
  const mapping = { isFirst, before, persons, lateWave, sent, outDir }
  const { flows, mapSteps } = await mapAgencies(session, agencies, mapping)
  const { left, whole } = await session.runBeside(mapSteps, async () => {
    await requireOwnNumbers(session, personsFile)
    await requireInvariants(session, persons, { spine: spine.name, ...flows })
    const left = await leaveRun(session, { agencies, spine, version, outDir })
    return { left, whole: await countWhole(session) }
  })
  await requireSoundMaps(session, agencies, flows.maps)
  const report: LinkageCounts = {
    rulesVersion,
    persons,
    ...whole,
    notices,
    agencies: flows.agencies,
    deliveries: flows.deliveries,
    cases: left.cases.possible,
    change: { version, ...left.change, ...flows.change, held, torn, cases: left.cases },
  }
  const { files, worklist } = left
  const { maps, thinned } = flows
  return { personsFile, persons, maps, thinned, lateWave, ...files, worklist, report }
}

/** Counts of no one agency. */
async function countWhole(
  session: Session,
): Promise<Pick<LinkageCounts, 'hubs' | 'hubsByKey' | 'spinePairs' | 'clusters'>> {
  const hubsByKey = await hubCounts(session)
  const hubs = Object.values(hubsByKey).reduce((sum, count) => sum + count, 0)
  const spinePairs = await spinePairCounts(session)
  return { hubs, hubsByKey, spinePairs, clusters: await clusterSizes(session) }
}
