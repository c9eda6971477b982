/** The passes in their order, and the persons between them. */
import type { LinkageCounts } from '../../core/linkage-report.ts'
import type { LinkRules } from '../../core/passes.ts'
import { runSteps } from '../run-steps.ts'
import type { Session } from '../session.ts'
import { carriedTokenStep } from '../waves/before.ts'
import { decidedOtherStep, decidedPlaceStep, decidedTokenStep } from '../waves/decisions.ts'
import { keepNumbers, spinePlaceStep } from '../waves/numbering.ts'
import type { Agency } from './agencies.ts'
import { besideSteps, doneTokensSteps } from './beside.ts'
import { byNumberSteps } from './by-number.ts'
import { labelComponents } from './components.ts'
import { sentKeys } from './counts.ts'
import { noticeStep, numberSuspects, suspectSteps } from './numbers.ts'
import { writePersons } from './person-list.ts'
import { numberPlaceStep, personSteps, settledStep } from './persons.ts'
import { placedStep, placeRecords } from './places.ts'
import { keptSteps, sharedKeySteps, type WeakerType } from './shared-keys.ts'
import { foundingEdgeStep, foundingStep, pairStep, settledSpineStep, twinSteps } from './spine.ts'
import { spineLinkStep } from './spine-links.ts'
import {
  byWeakerStep,
  earlierStep,
  nameSteps,
  pairSteps,
  possibleSteps,
  strongSteps,
} from './weaker-keys.ts'

export type ToPass = {
  agencies: readonly Agency[]
  spine: Agency
  /** The weaker keys that are sent. */
  types: readonly WeakerType[]
  noticeFiles: readonly string[]
  rules: LinkRules
  isFirst: boolean
  /** Of this linkage. */
  version: number
  personsFile: string
  onProgress?: ((progress: LinkProgress) => void) | undefined
}

/** How far a linkage is: the passes are done when all agencies are placed; writing and reporting follow. */
export type LinkProgress = { agencies: number; persons: number; placed: number }

/**
 * Runs all passes: in the end every record has its place. Needs the views `record` and `record_<n>`, and what was taken of
 * the history.
 */
export async function runPasses(
  session: Session,
  of: ToPass,
): Promise<{
  persons: number
  sent: Awaited<ReturnType<typeof sentKeys>>
  notices: LinkageCounts['notices']
}> {
  const { agencies, spine, types, version } = of
  await runSteps(session, besideSteps(agencies, types))
  const sent = await sentKeys(session, agencies, types)
  const notices = await placeByNumber(session, of)
  const persons = await writePersons(session, of.personsFile)
  let placed = 0
  const tell = (): void => of.onProgress?.({ agencies: agencies.length, persons, placed: placed++ })
  tell()
  await placeByWeakerKeys(session, of)
  await session.run(placedStep)
  for (const agency of agencies.filter(({ isSpine }) => !isSpine)) {
    await placeRecords(session, agency)
    tell()
  }
  await session.run('drop table beside')
  await session.run(spineLinkStep(`record_${spine.agency}`, version))
  tell()
  return { persons, sent, notices }
}

/** Passes 0 to 4, and the persons. Gives how many notices were used and set aside. */
async function placeByNumber(
  session: Session,
  { agencies, spine, types, noticeFiles, rules, isFirst, version }: ToPass,
): Promise<LinkageCounts['notices']> {
  await runSteps(session, [
    decidedTokenStep(spine.agency),
    carriedTokenStep(spine.agency),
    ...twinSteps(spine.isDuplicateFree, rules),
  ])
  await runSteps(session, [noticeStep(noticeFiles), ...suspectSteps(agencies.length)])
  await runSteps(session, [...keptSteps(types), ...doneTokensSteps(types)])
  const notices = await numberSuspects(session, rules)
  await runSteps(session, [foundingStep, pairStep(rules), foundingEdgeStep])
  await labelComponents(session, 'founding_edge', 'founding_label')
  await runSteps(session, [settledSpineStep, decidedOtherStep(spine.agency), ...byNumberSteps])
  await session.run(spinePlaceStep)
  await keepNumbers(session, { isFirst, version })
  await runSteps(session, [...personSteps(isFirst), settledStep, numberPlaceStep])
  return notices
}

/** What people decided, and passes 5 to 8. */
async function placeByWeakerKeys(session: Session, { types, rules }: ToPass): Promise<void> {
  const shared = sharedKeySteps(types, rules)
  await runSteps(session, [byWeakerStep, decidedPlaceStep, ...shared, ...pairSteps])
  await runSteps(session, [earlierStep, ...strongSteps, ...nameSteps, ...possibleSteps(rules)])
}
