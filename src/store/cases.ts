/** Cases that the rules leave open, what people think of them, and what two of them decided. */
import type { CaseVerdict, LinkCase } from '../core/link-case.ts'
import type { Queryable, Tx } from './pool.ts'

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

/** What the data side says of a case. It names persons and records by nothing. */
export type StoredStrata = {
  caseId: string
  sex: 'M' | 'F' | null
  ageBand: string | null
  year: number | null
  recordSex: 'M' | 'F' | null
  recordAgeBand: string | null
}

/** Writes sex, age bands and year beside the cases of a linkage. */
export async function saveStrata(
  tx: Tx,
  linkageId: string,
  strata: readonly StoredStrata[],
): Promise<void> {
  await tx.query(
    `update gyeol.link_case
     set sex = s.sex, age_band = s."ageBand", year = s.year, record_sex = s."recordSex",
         record_age_band = s."recordAgeBand"
     from jsonb_to_recordset($2::jsonb) as s ("caseId" uuid, sex text, "ageBand" text, year integer,
       "recordSex" text, "recordAgeBand" text)
     where linkage_id = $1::uuid and case_id = s."caseId"`,
    [linkageId, JSON.stringify(strata)],
  )
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
