/** What a run leaves: the key index and the list of changes, the cases and their list for the data side. */
import { join } from 'node:path'
import { casesMax } from '../../core/link-case.ts'
import type { Agency } from '../linkage/agencies.ts'
import type { Session } from '../session.ts'
import { caseCounts, gatherCases, worklistOf, writeCaseList } from './cases.ts'
import { changeStep, personChange, writeIndex } from './write-index.ts'

/** Writes what the next run goes on from, and what people have to look at. */
export async function leaveRun(
  session: Session,
  of: { agencies: readonly Agency[]; spine: Agency; version: number; outDir: string },
) {
  const agencies = of.agencies.map(({ name }) => name)
  const about = { agencies, spine: of.spine.agency }
  await gatherCases(session, about)
  await session.run(changeStep)
  const indexFile = join(of.outDir, 'index.parquet')
  const changesFile = join(of.outDir, 'changes.parquet')
  const order = of.spine.isSorted ? 'file_row' : 'serial'
  await writeIndex(session, { version: of.version, agencies, order, indexFile, changesFile })
  const worklist = await worklistOf(session, about, casesMax)
  const caseListFile = join(of.outDir, 'cases.parquet')
  await writeCaseList(session, agencies, { casesMax, file: caseListFile })
  const change = await personChange(session)
  const files = { indexFile, changesFile, caseListFile }
  return { files, worklist, change, cases: await caseCounts(session) }
}
