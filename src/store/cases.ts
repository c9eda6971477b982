/** Cases that the rules leave open, what people think of them, and what two of them decided. */
import type { TicketAnswer } from '../core/ticket-answers.ts'
import type { Queryable, Tx } from './pool.ts'

export type CaseVerdict = 'must-link' | 'cannot-link' | 'undecided'

/** A case as one linkage found it. Nothing in it tells who it is. */
export type LinkCase = {
  caseId: string
  kind: 'possible' | 'conflict' | 'merge'
  agency: string
  wave: number
  pass: number | null
  pattern: string | null
  candidates: number
  nameShared: number | null
}

/** A case with what was said of it last. */
export type ListedCase = LinkCase & {
  /** The newest decision; null: none yet. */
  decision: CaseVerdict | null
  /** An opinion that a second person has not yet answered: whose, and what. */
  pendingBy: string | null
  pending: CaseVerdict | null
  /** What the agency that holds the record said of it last, in a ticket. It decides nothing. */
  answer: TicketAnswer | null
}

export type Opinion = {
  id: string
  projectId: string
  caseId: string
  accountId: string
  verdict: CaseVerdict
  reason: string
}

/** Stores the cases of a linkage. */
export async function insertCases(
  tx: Tx,
  of: { linkageId: string; projectId: string },
  cases: readonly LinkCase[],
): Promise<void> {
  await tx.query(
    `insert into gyeol.link_case (linkage_id, project_id, case_id, kind, agency, wave, pass, pattern,
       candidates, name_shared)
     select $1::uuid, $2::uuid, c."caseId", c.kind, c.agency, c.wave, c.pass, c.pattern, c.candidates,
       c."nameShared"
     from jsonb_to_recordset($3::jsonb) as c ("caseId" uuid, kind text, agency text, wave integer,
       pass integer, pattern text, candidates integer, "nameShared" integer)`,
    [of.linkageId, of.projectId, JSON.stringify(cases)],
  )
}

const lastWords = `
  left join lateral (
    select verdict, created_at from gyeol.case_decision d
    where d.project_id = c.project_id and d.case_id = c.case_id
    order by created_at desc, decision_id limit 1
  ) decided on true
  left join lateral (
    select o.verdict, a.name from gyeol.case_opinion o join gyeol.account a using (account_id)
    where o.project_id = c.project_id and o.case_id = c.case_id
      and o.created_at > coalesce(decided.created_at, '-infinity')
    order by o.created_at desc, o.opinion_id limit 1
  ) pending on true
  left join lateral (
    select r.answer from gyeol.ticket_answer r join gyeol.ticket t using (ticket_id)
    where t.project_id = c.project_id and r.case_id = c.case_id
    order by r.created_at desc, r.round desc limit 1
  ) said on true`

/** Cases of a linkage by number, those after one of them. */
export async function casesOfLinkage(
  db: Queryable,
  linkageId: string,
  page: { after: string | null; limit: number; kind: string | null; agency: string | null },
): Promise<ListedCase[]> {
  const { rows } = await db.query<ListedCase>(
    `select c.case_id as "caseId", c.kind, c.agency, c.wave, c.pass, c.pattern, c.candidates,
       c.name_shared as "nameShared", decided.verdict as decision, pending.name as "pendingBy",
       pending.verdict as pending, said.answer
     from gyeol.link_case c ${lastWords}
     where c.linkage_id = $1::uuid and ($2::uuid is null or c.case_id > $2::uuid)
       and ($3::text is null or c.kind = $3::text) and ($4::text is null or c.agency = $4::text)
     order by c.case_id
     limit $5::integer`,
    [linkageId, page.after, page.kind, page.agency, page.limit],
  )
  return rows
}

/** The project of a case. Until the transaction ends nobody else says anything of the case. */
export async function lockCase(tx: Tx, caseId: string): Promise<{ projectId: string } | undefined> {
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1::text, 0))', [caseId])
  const { rows } = await tx.query<{ projectId: string }>(
    `select project_id as "projectId" from gyeol.link_case where case_id = $1::uuid limit 1`,
    [caseId],
  )
  return rows[0]
}

/** The opinion on a case that came last after its last decision. */
export async function pendingOpinion(
  tx: Tx,
  of: { projectId: string; caseId: string },
): Promise<Opinion | undefined> {
  const { rows } = await tx.query<Opinion>(
    `select opinion_id as id, project_id as "projectId", case_id as "caseId",
       account_id as "accountId", verdict, reason
     from gyeol.case_opinion
     where project_id = $1::uuid and case_id = $2::uuid and created_at > coalesce((
       select max(created_at) from gyeol.case_decision
       where project_id = $1::uuid and case_id = $2::uuid), '-infinity')
     order by created_at desc, opinion_id
     limit 1`,
    [of.projectId, of.caseId],
  )
  return rows[0]
}

/** Stores an opinion. */
export async function insertOpinion(tx: Tx, opinion: Opinion): Promise<void> {
  await tx.query(
    `insert into gyeol.case_opinion
       (opinion_id, project_id, case_id, account_id, verdict, reason, created_at)
     values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::text, $6::text, clock_timestamp())`,
    [
      opinion.id,
      opinion.projectId,
      opinion.caseId,
      opinion.accountId,
      opinion.verdict,
      opinion.reason,
    ],
  )
}

/** Stores that two people agreed. */
export async function insertDecision(
  tx: Tx,
  id: string,
  { first, second }: { first: Opinion; second: Opinion },
): Promise<void> {
  await tx.query(
    `insert into gyeol.case_decision (decision_id, project_id, case_id, verdict,
       first_opinion_id, first_by, second_opinion_id, second_by, created_at)
     values ($1::uuid, $2::uuid, $3::uuid, $4::text, $5::uuid, $6::uuid, $7::uuid, $8::uuid,
       clock_timestamp())`,
    [
      id,
      second.projectId,
      second.caseId,
      second.verdict,
      first.id,
      first.accountId,
      second.id,
      second.accountId,
    ],
  )
}

/** The newest decision of every case of a project that was ever decided. */
export async function decisionsOfProject(
  db: Queryable,
  projectId: string,
): Promise<{ caseId: string; verdict: CaseVerdict }[]> {
  const { rows } = await db.query<{ caseId: string; verdict: CaseVerdict }>(
    `select distinct on (case_id) case_id as "caseId", verdict
     from gyeol.case_decision where project_id = $1::uuid
     order by case_id, created_at desc, decision_id`,
    [projectId],
  )
  return rows
}
