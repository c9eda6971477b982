/**
 * The worklist: cases of a linkage, the gravest first and the rarest name first among those, with what was said of each. The
 * order is of what never changes of a case, so that a page goes on where the last one ended whatever was said in between.
 */

import type { CaseVerdict, LinkCase } from '../core/link-case.ts'
import type { TicketAnswer } from '../core/ticket-answers.ts'
import type { StoredStrata } from './cases.ts'
import type { Queryable } from './pool.ts'

/** `pending`: one person has said something since the last decision. `decided`: two said that it is one person, or two. */
export type CaseState = 'open' | 'pending' | 'decided'

/** A case with what was said of it last. */
export type ListedCase = LinkCase &
  StoredStrata & {
    state: CaseState
    /** The newest decision; null: none yet. */
    decision: CaseVerdict | null
    /** An opinion that a second person has not yet answered: whose, and what. */
    pendingBy: string | null
    pending: CaseVerdict | null
    /** What the agency that holds the record said of it last, in a ticket. It decides nothing. */
    answer: TicketAnswer | null
  }

/** Which cases of a linkage; null: whatever. */
export type CaseFilter = {
  kind: LinkCase['kind'] | null
  agency: string | null
  state: CaseState | null
  pass: number | null
  sex: 'M' | 'F' | null
  ageBand: string | null
  year: number | null
}

const listed = `
  with last_decision as (
    select distinct on (case_id) case_id, verdict, created_at
    from gyeol.case_decision
    where project_id = (select project_id from gyeol.linkage where linkage_id = $1::uuid)
    order by case_id, created_at desc, decision_id
  ), last_opinion as (
    select distinct on (o.case_id) o.case_id, o.verdict, a.name
    from gyeol.case_opinion o
    join gyeol.account a using (account_id)
    left join last_decision d using (case_id)
    where o.project_id = (select project_id from gyeol.linkage where linkage_id = $1::uuid)
      and o.created_at > coalesce(d.created_at, '-infinity')
    order by o.case_id, o.created_at desc, o.opinion_id
  ), last_answer as (
    select distinct on (r.case_id) r.case_id, r.answer
    from gyeol.ticket_answer r
    join gyeol.ticket t using (ticket_id)
    where t.project_id = (select project_id from gyeol.linkage where linkage_id = $1::uuid)
    order by r.case_id, r.created_at desc, r.round desc
  ), listed as (
    select c.*, d.verdict as decision, o.name as pending_by, o.verdict as pending, r.answer,
      case when o.verdict is not null then 'pending'
        when d.verdict in ('must-link', 'cannot-link') then 'decided' else 'open' end as state,
      array_position(array['merge', 'conflict', 'doubted', 'possible'], c.kind) as gravity,
      coalesce(c.name_shared, 2147483647) as rarity
    from gyeol.link_case c
    left join last_decision d using (case_id)
    left join last_opinion o using (case_id)
    left join last_answer r using (case_id)
    where c.linkage_id = $1::uuid
  )`

/** Cases of a linkage in order, those after one of them. */
export async function casesOfLinkage(
  db: Queryable,
  linkageId: string,
  wanted: CaseFilter & { after: string | null; limit: number },
): Promise<ListedCase[]> {
  const { rows } = await db.query<ListedCase>(
    `${listed}
     select case_id as "caseId", kind, agency, wave, pass, pattern, candidates,
       name_shared as "nameShared", state, decision, pending_by as "pendingBy", pending, answer, sex,
       age_band as "ageBand", year, record_sex as "recordSex", record_age_band as "recordAgeBand"
     from listed
     where ($2::uuid is null or (gravity, rarity, case_id) > (
         select last.gravity, last.rarity, last.case_id from listed last where last.case_id = $2::uuid))
       and ($3::text is null or kind = $3::text) and ($4::text is null or agency = $4::text)
       and ($5::text is null or state = $5::text) and ($6::integer is null or pass = $6::integer)
       and ($7::text is null or sex = $7::text) and ($8::text is null or age_band = $8::text)
       and ($9::integer is null or year = $9::integer)
     order by gravity, rarity, case_id
     limit $10::integer`,
    [
      ...[linkageId, wanted.after, wanted.kind, wanted.agency, wanted.state, wanted.pass],
      ...[wanted.sex, wanted.ageBand, wanted.year, wanted.limit],
    ],
  )
  return rows
}

/** How many cases a linkage has of each kind and state. */
export type CaseCount = { kind: LinkCase['kind']; state: CaseState; cases: number }

/** All cases of a linkage, counted. */
export async function caseCountsOf(db: Queryable, linkageId: string): Promise<CaseCount[]> {
  const { rows } = await db.query<CaseCount>(
    `${listed}
     select kind, state, count(*) as cases from listed group by gravity, kind, state order by gravity, state`,
    [linkageId],
  )
  return rows
}
