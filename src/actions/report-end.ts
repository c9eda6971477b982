import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import { dutiesAfter, stateAfter } from '../core/states.ts'
import { appendLeaf } from '../store/audit.ts'
import { inTransaction } from '../store/pool.ts'
import { insertStatement, type StatementKind, saveReleaseEnded } from '../store/release-life.ts'
import { lockRelease } from '../store/releases.ts'
import { type Deps, leafBy } from './deps.ts'

/**
 * What a recipient owes after a release: the report on what it was used for, which ends it if nothing has, and the
 * confirmation that no copy is left at their place. Each is stated once.
 *
 * @throws {Refusal} `grant-missing` (also for another's release), `not-found`, `state-conflict`, `already-exists`.
 */
export async function reportEnd(
  deps: Deps,
  caller: Caller,
  statement: { releaseId: string; kind: StatementKind; text: string },
): Promise<void> {
  authorize(caller, 'report-end')
  const recipient = accountOf(caller)
  const { kind } = statement
  await inTransaction(deps.pool, 'report-end', async (tx) => {
    const release = await lockRelease(tx, statement.releaseId)
    if (!release) throw new Refusal('not-found', 'There is no such release.')
    if (release.recipientId !== recipient.id) {
      throw new Refusal('grant-missing', 'The release is for another recipient.')
    }
    const { state } = release
    if (kind === 'end-report' && state !== 'ended' && state !== 'destroyed') {
      stateAfter(state, 'report-end')
      const duties = dutiesAfter('report-end', tx.now)
      await saveReleaseEnded(tx, release.id, { from: state, to: 'ended', ...duties })
    } else if (!release.endedAt) {
      throw new Refusal('state-conflict', 'The release has not ended. Report its end first.')
    }
    const { id: releaseId } = release
    if (!(await insertStatement(tx, { ...statement, releaseId, accountId: recipient.id }))) {
      throw new Refusal('already-exists', 'You have stated this already.')
    }
    await appendLeaf(tx, {
      ...leafBy(caller, 'report-end', release.id),
      project: release.projectId,
      note: kind,
    })
  })
}
