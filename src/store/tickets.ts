/** Tickets: what an agency is asked about cases. The list of serials is an object, sealed to the desk. */
import type { Queryable, Tx } from './pool.ts'

export type TicketState = 'queued' | 'open' | 'answered' | 'closed' | 'failed'

export type Ticket = {
  id: string
  projectId: string
  linkageId: string
  agencyId: string
  agency: string
  state: TicketState
  jobId: string
  /** The list: its object and, unsealed, its bytes. Null before it is written, and once it is destroyed. */
  objectId: string | null
  bytes: number | null
  sha256: Uint8Array | null
  /** Cases of the ticket; `asked` of them went to the agency, of which it has answered `answered`. */
  cases: number
  asked: number
  answered: number
  /** Cases about which the agency could not be asked. */
  unasked: string[]
  createdAt: Date
  closedAt: Date | null
}

/** Stores a requested ticket with its cases. */
export async function insertTicket(
  tx: Tx,
  ticket: Pick<Ticket, 'id' | 'projectId' | 'linkageId' | 'agencyId' | 'jobId'> & {
    createdBy: string
    caseIds: readonly string[]
  },
): Promise<void> {
  const { id, projectId, linkageId, agencyId, jobId, createdBy, caseIds } = ticket
  await tx.query(
    `insert into gyeol.ticket (ticket_id, project_id, linkage_id, agency_id, job_id, created_by)
     values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::uuid, $6::uuid)`,
    [id, projectId, linkageId, agencyId, jobId, createdBy],
  )
  await tx.query(
    `insert into gyeol.ticket_case (ticket_id, case_id)
     select $1::uuid, case_id from unnest($2::uuid[]) as named (case_id)`,
    [id, caseIds],
  )
}

const ticketSql = `
  select t.ticket_id as id, t.project_id as "projectId", t.linkage_id as "linkageId",
    t.agency_id as "agencyId", a.name as agency, t.state, t.job_id as "jobId",
    o.object_id as "objectId", t.bytes, t.sha256, counted.cases, counted.asked, counted.answered,
    counted.unasked, t.created_at as "createdAt", t.closed_at as "closedAt"
  from gyeol.ticket t
  join gyeol.agency a using (agency_id)
  left join gyeol.vault_object o on o.object_id = t.object_id and o.destroyed_at is null
  cross join lateral (
    select count(*) as cases, count(*) filter (where c.is_asked) as asked,
      count(*) filter (where exists (
        select from gyeol.ticket_answer r where r.ticket_id = c.ticket_id and r.case_id = c.case_id
      )) as answered,
      coalesce(array_agg(c.case_id order by c.case_id) filter (where not c.is_asked), '{}') as unasked
    from gyeol.ticket_case c where c.ticket_id = t.ticket_id
  ) counted`

/** The ticket, or undefined. */
export async function findTicket(db: Queryable, id: string): Promise<Ticket | undefined> {
  const { rows } = await db.query<Ticket>(`${ticketSql} where t.ticket_id = $1::uuid`, [id])
  return rows[0]
}

/** What the key side knows of a ticket: nothing of answers. */
export type TicketToWrite = Pick<
  Ticket,
  'id' | 'projectId' | 'linkageId' | 'agencyId' | 'agency' | 'state'
>

/** The ticket whose list is to be written, or undefined. */
export async function findTicketToWrite(
  db: Queryable,
  id: string,
): Promise<TicketToWrite | undefined> {
  const { rows } = await db.query<TicketToWrite>(
    `select ticket_id as id, project_id as "projectId", linkage_id as "linkageId",
       agency_id as "agencyId", name as agency, state
     from gyeol.ticket join gyeol.agency using (agency_id)
     where ticket_id = $1::uuid`,
    [id],
  )
  return rows[0]
}

/** The newest tickets of a project, at most `most`: all, or those that an agency was asked. */
export async function ticketsOfProject(
  db: Queryable,
  of: { projectId: string; askedOf: string | null; most: number },
): Promise<Ticket[]> {
  const { rows } = await db.query<Ticket>(
    `${ticketSql}
     where t.project_id = $1::uuid
       and ($2::uuid is null or (t.agency_id = $2::uuid and t.opened_at is not null))
     order by t.created_at desc, t.ticket_id
     limit $3::integer`,
    [of.projectId, of.askedOf, of.most],
  )
  return rows
}

/** Opens a ticket with its list; false if it is not waiting for it any more. */
export async function openTicket(
  tx: Tx,
  ticket: {
    id: string
    objectId: string
    bytes: number
    sha256: Uint8Array
    asked: readonly string[]
  },
): Promise<boolean> {
  const { id, objectId, bytes, sha256, asked } = ticket
  const { rowCount } = await tx.query(
    `update gyeol.ticket
     set state = 'open', object_id = $2::uuid, bytes = $3::bigint, sha256 = $4::bytea, opened_at = now()
     where ticket_id = $1::uuid and state = 'queued'`,
    [id, objectId, bytes, sha256],
  )
  if (rowCount !== 1) return false
  await tx.query(
    `update gyeol.ticket_case set is_asked = case_id = any($2::uuid[]) where ticket_id = $1::uuid`,
    [id, asked],
  )
  return true
}

/** Changes the state of a ticket that is in the state before; nothing otherwise. */
export async function moveTicket(
  tx: Tx,
  id: string,
  { from, to }: { from: TicketState; to: TicketState },
): Promise<void> {
  await tx.query(
    `update gyeol.ticket set state = $3::text where ticket_id = $1::uuid and state = $2::text`,
    [id, from, to],
  )
}

/** Closes every ticket of a project. @returns the lists that are still there. */
export async function closeTickets(tx: Tx, projectId: string): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `with closed as (
       update gyeol.ticket set state = 'closed', closed_at = now()
       where project_id = $1::uuid and state in ('queued', 'open', 'answered')
       returning object_id
     )
     select object_id as id from closed join gyeol.vault_object using (object_id)
     where destroyed_at is null`,
    [projectId],
  )
  return rows.map(({ id }) => id)
}
