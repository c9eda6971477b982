import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import type { CaseVerdict } from '../core/link-case.ts'
import { appendLeaf } from '../store/audit.ts'
import { insertDecision, insertOpinion, lockCase, pendingOpinion } from '../store/cases.ts'
import { inTransaction } from '../store/pool.ts'
import { type Deps, leafBy } from './deps.ts'

/**
 * Says what somebody thinks of a case. When a second person says the same, it is decided, and holds from the next linkage
 * on, until two people decide otherwise or take it back (`undecided`).
 *
 * @returns the decision that this opinion made, or null if a second person has to agree first.
 * @throws {Refusal} `grant-missing`, `not-found`, `own-act` for the same opinion by the same person.
 */
export async function judgeCase(
  deps: Deps,
  caller: Caller,
  said: { caseId: string; verdict: CaseVerdict; reason: string },
): Promise<CaseVerdict | null> {
  authorize(caller, 'judge-case')
  const account = accountOf(caller)
  return await inTransaction(deps.pool, 'judge-case', async (tx) => {
    const found = await lockCase(tx, said.caseId)
    if (!found) throw new Refusal('not-found', 'There is no such case.')
    const first = await pendingOpinion(tx, { ...found, caseId: said.caseId })
    const agrees = first?.verdict === said.verdict
    if (agrees && first.accountId === account.id) {
      throw new Refusal('own-act', 'You have said so already. A second person has to agree.')
    }
    const second = { id: deps.randomUuid(), ...found, ...said, accountId: account.id }
    await insertOpinion(tx, second)
    if (agrees) await insertDecision(tx, deps.randomUuid(), { first, second })
    await appendLeaf(tx, {
      ...leafBy(caller, 'judge-case', said.caseId),
      project: found.projectId,
      note: agrees ? `${said.verdict}: decided` : said.verdict,
    })
    return agrees ? said.verdict : null
  })
}
