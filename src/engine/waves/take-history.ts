/** What a linkage goes on from: the key index of the last one, and what people and agencies have said since. */
import { Refusal } from '../../core/errors.ts'
import type { Agency } from '../linkage/agencies.ts'
import { sentSteps } from '../linkage/records.ts'
import { runSteps } from '../run-steps.ts'
import type { Session } from '../session.ts'
import { carriedSerialSteps } from './before.ts'
import { takeDecisions, type Verdict } from './decisions.ts'
import { type Doubts, takeDoubts } from './doubts.ts'
import { holdKeys } from './held.ts'
import { type KeyIndex, knownSteps } from './known.ts'

export type History = {
  /** Of the linkage key in force. */
  epoch: number
  /** The key index that the last linkage wrote; none before the first. */
  known: KeyIndex | undefined
  /** Of every case that people ever decided on. */
  verdicts: readonly Verdict[]
  /** What agencies came to doubt since the last linkage. */
  doubts: readonly Doubts[]
  /** Agency → link maps of the last linkage. */
  before: Readonly<Record<string, readonly string[]>>
}

/**
 * What is known and was decided, and which keys of the spine are held back because of it.
 *
 * @param of.rowsIn - token file → how many rows it has; `spine`: the spine's number.
 * @throws {Refusal} `epoch-retired` when the linkage key was changed and the spine has not yet delivered every record again.
 */
export async function takeHistory(
  session: Session,
  { known, verdicts, doubts, epoch, before }: History,
  {
    agencies,
    rowsIn,
    spine,
  }: { agencies: readonly Agency[]; rowsIn: ReadonlyMap<string, number>; spine: number },
): Promise<{ torn: number; held: number }> {
  const names = agencies.map(({ name }) => name)
  await runSteps(session, [...knownSteps(known), ...sentSteps(agencies, rowsIn)])
  await runSteps(session, carriedSerialSteps(agencies, before))
  const isNewKey = known !== undefined && known.epoch !== epoch
  const torn = await takeDecisions(session, verdicts, { agencies: names, spine, isNewKey })
  await takeDoubts(session, doubts, names)
  const sent = `sent_${spine}`
  if (isNewKey) await requireBridge(session, sent)
  return { torn, held: await holdKeys(session, isNewKey ? undefined : sent) }
}

/** The registry has to bring every record again under a new linkage key, or its person would be lost. */
async function requireBridge(session: Session, sent: string): Promise<void> {
  const [counted] = await session.rows<{ missing: number }>(
    `select count(*) as missing from known_spine anti join ${sent} using (serial)`,
  )
  if (counted?.missing === 0) return
  throw new Refusal(
    'epoch-retired',
    'The linkage key was changed, and the spine has not delivered every record again under the new one.',
    { records: counted?.missing ?? 0 },
  )
}
