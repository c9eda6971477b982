/**
 * Deliveries: one agency's keys and tables for one wave of a project. A delivery of tables only rests on the keys of another
 * one of the same agency and wave.
 */
import type { Queryable, Tx } from './pool.ts'

export type DeliveryState = 'open' | 'submitted' | 'taken' | 'refused' | 'withdrawn'

export type Delivery = {
  id: string
  projectId: string
  agencyId: string
  agency: string
  wave: number
  state: DeliveryState
  /** Whose keys a delivery of tables only rests on; null: it brings its own. */
  keysDeliveryId: string | null
  /** Of the linkage key under which its keys are taken in. */
  epoch: number
  jobId: string | null
  createdAt: Date
  submittedAt: Date | null
  endedAt: Date | null
}

const deliveryColumns = `d.delivery_id as id, d.project_id as "projectId", d.agency_id as "agencyId",
  a.name as agency, d.wave, d.state, d.keys_delivery_id as "keysDeliveryId", d.epoch, d.job_id as "jobId", d.created_at as "createdAt",
  d.submitted_at as "submittedAt", d.ended_at as "endedAt"`

/** The delivery, or undefined. */
export async function findDelivery(db: Queryable, id: string): Promise<Delivery | undefined> {
  const { rows } = await db.query<Delivery>(
    `select ${deliveryColumns} from gyeol.delivery d join gyeol.agency a using (agency_id)
     where d.delivery_id = $1::uuid`,
    [id],
  )
  return rows[0]
}

/** Holds the delivery's state still until the transaction ends. */
export async function lockDelivery(
  tx: Tx,
  id: string,
  strength: 'share' | 'update',
): Promise<DeliveryState | undefined> {
  const { rows } = await tx.query<{ state: DeliveryState }>(
    `select state from gyeol.delivery where delivery_id = $1::uuid for ${strength}`,
    [id],
  )
  return rows[0]?.state
}

/** Which delivery of a wave: the one that brings keys, or the one of tables only. */
export type DeliveryPlace = {
  projectId: string
  agencyId: string
  wave: number
  kind: 'keys' | 'tables'
}

/** Opens a delivery; undefined if the agency has a live one of this kind for this wave. */
export async function insertDelivery(
  tx: Tx,
  delivery: Omit<DeliveryPlace, 'kind'> & {
    id: string
    keysDeliveryId: string | null
    epoch: number
  },
): Promise<string | undefined> {
  const { rows } = await tx.query<{ id: string }>(
    `insert into gyeol.delivery (delivery_id, project_id, agency_id, wave, keys_delivery_id, epoch)
     values ($1::uuid, $2::uuid, $3::uuid, $4::integer, $5::uuid, $6::integer)
     on conflict do nothing returning delivery_id as id`,
    [
      delivery.id,
      delivery.projectId,
      delivery.agencyId,
      delivery.wave,
      delivery.keysDeliveryId,
      delivery.epoch,
    ],
  )
  return rows[0]?.id
}

/** The agency's live delivery of this wave and kind. */
export async function findLiveDelivery(
  db: Queryable,
  place: DeliveryPlace,
): Promise<Delivery | undefined> {
  const { rows } = await db.query<Delivery>(
    `select ${deliveryColumns} from gyeol.delivery d join gyeol.agency a using (agency_id)
     where d.project_id = $1::uuid and d.agency_id = $2::uuid and d.wave = $3::integer
       and (d.keys_delivery_id is null) = $4::boolean and d.state in ('open', 'submitted', 'taken')`,
    [place.projectId, place.agencyId, place.wave, place.kind === 'keys'],
  )
  return rows[0]
}

/** Records the manifest and the job that takes the delivery in. */
export async function submitOpenDelivery(
  tx: Tx,
  delivery: { id: string; manifest: unknown; manifestSha256: Uint8Array; jobId: string },
): Promise<void> {
  await tx.query(
    `update gyeol.delivery
     set state = 'submitted', manifest = $2::jsonb, manifest_sha256 = $3::bytea, job_id = $4::uuid,
         submitted_at = now()
     where delivery_id = $1::uuid and state = 'open'`,
    [delivery.id, JSON.stringify(delivery.manifest), delivery.manifestSha256, delivery.jobId],
  )
}

/** Ends a delivery that is open or submitted, or withdraws one that is taken; false if it was none of these. */
export async function endDelivery(
  tx: Tx,
  id: string,
  state: 'taken' | 'refused' | 'withdrawn',
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update gyeol.delivery set state = $2::text, ended_at = now()
     where delivery_id = $1::uuid
       and (state in ('open', 'submitted') or (state = 'taken' and $2::text = 'withdrawn'))`,
    [id, state],
  )
  return rowCount === 1
}

/** Whether a linkage rests on a delivery, or may in a moment, or a delivery of tables does. */
export async function isRestedOn(tx: Tx, { id, projectId }: Delivery): Promise<boolean> {
  const { rowCount } = await tx.query(
    `select from gyeol.link_map where delivery_id = $1::uuid
     union all
     select from gyeol.delivery
     where keys_delivery_id = $1::uuid and state in ('open', 'submitted', 'taken')
     union all
     select from gyeol.linkage where project_id = $2::uuid and state = 'queued'
     limit 1`,
    [id, projectId],
  )
  return rowCount !== 0
}

/** The deliveries of a project in a state, by agency and wave. */
export async function deliveriesOfProject(
  db: Queryable,
  projectId: string,
  states: DeliveryState[],
): Promise<Delivery[]> {
  const { rows } = await db.query<Delivery>(
    `select ${deliveryColumns} from gyeol.delivery d join gyeol.agency a using (agency_id)
     where d.project_id = $1::uuid and d.state = any($2::text[])
     order by a.name, d.wave`,
    [projectId, states],
  )
  return rows
}
