/** The cases of a ticket, what the agency said of them, and how long its list is kept. */
import type { AnsweredCase } from '../core/ticket-answers.ts'
import type { Queryable, Tx } from './pool.ts'

/** A case of a ticket, and of which kind its linkage found it. */
export type TicketCase = { caseId: string; kind: string }

/** The cases of a ticket. */
export async function casesOfTicket(db: Queryable, ticketId: string): Promise<TicketCase[]> {
  const { rows } = await db.query<TicketCase>(
    `select c.case_id as "caseId", l.kind
     from gyeol.ticket_case c
     join gyeol.ticket t using (ticket_id)
     join gyeol.link_case l on l.linkage_id = t.linkage_id and l.case_id = c.case_id
     where c.ticket_id = $1::uuid order by c.case_id`,
    [ticketId],
  )
  return rows
}

/** How many of these are cases of a linkage. */
export async function countCases(
  db: Queryable,
  of: { linkageId: string; caseIds: readonly string[] },
): Promise<number> {
  const { rows } = await db.query<{ cases: number }>(
    `select count(*) as cases from gyeol.link_case
     where linkage_id = $1::uuid and case_id = any($2::uuid[])`,
    [of.linkageId, of.caseIds],
  )
  return rows[0]?.cases ?? 0
}

/** The cases of a ticket about which its agency was asked. Until the transaction ends nobody else answers or closes it. */
export async function lockAskedCases(tx: Tx, ticketId: string): Promise<Set<string>> {
  await tx.query('select 1 from gyeol.ticket where ticket_id = $1::uuid for update', [ticketId])
  const { rows } = await tx.query<{ id: string }>(
    'select case_id as id from gyeol.ticket_case where ticket_id = $1::uuid and is_asked',
    [ticketId],
  )
  return new Set(rows.map(({ id }) => id))
}

/** Stores answers. They stand beside the earlier ones of the same cases, and count instead of them. */
export async function insertAnswers(
  tx: Tx,
  ticketId: string,
  answers: readonly AnsweredCase[],
): Promise<void> {
  await tx.query(
    `insert into gyeol.ticket_answer (ticket_id, case_id, round, answer, created_at)
     select $1::uuid, a."caseId", last.round + 1, a.answer, clock_timestamp()
     from jsonb_to_recordset($2::jsonb) as a ("caseId" uuid, answer text)
     cross join (
       select coalesce(max(round), 0) as round from gyeol.ticket_answer where ticket_id = $1::uuid
     ) as last`,
    [ticketId, JSON.stringify(answers)],
  )
}

/** Lists that are older than so many days and still there, at most `most`. */
export async function questionsPastPeriod(
  db: Queryable,
  { days, most }: { days: number; most: number },
): Promise<{ ticketId: string; projectId: string; objectId: string }[]> {
  const { rows } = await db.query<{ ticketId: string; projectId: string; objectId: string }>(
    `select t.ticket_id as "ticketId", t.project_id as "projectId", t.object_id as "objectId"
     from gyeol.ticket t join gyeol.vault_object o using (object_id)
     where o.destroyed_at is null and t.opened_at < now() - make_interval(days => $1::integer)
     order by t.opened_at limit $2::integer`,
    [days, most],
  )
  return rows
}
