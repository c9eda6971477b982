/** Destruction of releases: who asked, what remains, and the record of Article 28-4(3), which outlives them. */
import type { ReleaseState } from '../core/states.ts'
import type { Queryable, Tx } from './pool.ts'

/** Records who asked for the destruction; the first one stays. */
export async function saveDestructionRequested(
  tx: Tx,
  id: string,
  accountId: string,
): Promise<void> {
  await tx.query(
    `update gyeol.release set destruction_requested_by = coalesce(destruction_requested_by, $2::uuid)
     where release_id = $1::uuid`,
    [id, accountId],
  )
}

/** Records the job that destroys. */
export async function saveDestructionJob(tx: Tx, id: string, jobId: string): Promise<void> {
  await tx.query(
    'update gyeol.release set destruction_job_id = $2::uuid where release_id = $1::uuid',
    [id, jobId],
  )
}

/** Records that a release is destroyed, and in its record from when its three years count. */
export async function saveReleaseDestroyed(
  tx: Tx,
  id: string,
  from: ReleaseState,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update gyeol.release set state = 'destroyed', destroyed_at = now()
     where release_id = $1::uuid and state = $2::text`,
    [id, from],
  )
  await tx.query(
    `update gyeol.processing_record set destroyed_at = now()
     where release_id = $1::uuid and destroyed_at is null`,
    [id],
  )
  return rowCount === 1
}

/** Every object of a release that is not yet ended: its persons, its files, and the desk's. */
export async function objectsOfRelease(db: Queryable, id: string): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select o.object_id as id from gyeol.vault_object o
     join gyeol.sealing_key k on k.sealing_key_id = o.sealing_key_id
     where k.release_id = $1::uuid
     union
     select object_id from gyeol.release_file where release_id = $1::uuid
     union
     select desk_object_id from gyeol.release_file
     where release_id = $1::uuid and desk_object_id is not null
     union
     select persons_object_id from gyeol.release
     where release_id = $1::uuid and persons_object_id is not null`,
    [id],
  )
  return rows.map((row) => row.id)
}

/** What a release was, for whom and for how long: kept until three years after its destruction. */
export type ProcessingRecord = {
  releaseId: string
  projectId: string
  purpose: string
  /** Table → columns that leave. */
  items: Record<string, string[]>
  use: string
  recipient: string
  place: string
  validFrom: Date
  validUntil: Date
}

/** Stores the record. */
export async function insertProcessingRecord(tx: Tx, record: ProcessingRecord): Promise<void> {
  await tx.query(
    `insert into gyeol.processing_record
       (release_id, project_id, purpose, items, use, recipient, place, valid_from, valid_until)
     values ($1::uuid, $2::uuid, $3::text, $4::jsonb, $5::text, $6::text, $7::text,
             $8::timestamptz, $9::timestamptz)`,
    [
      record.releaseId,
      record.projectId,
      record.purpose,
      JSON.stringify(record.items),
      record.use,
      record.recipient,
      record.place,
      record.validFrom,
      record.validUntil,
    ],
  )
}

/** The signed certificate of a destruction. */
export type DestructionCertificate = {
  releaseId: string
  /** Canonical JSON and a newline: exactly the bytes that are signed. */
  certificate: string
  signature: Uint8Array
  /** Ed25519, 32 bytes. */
  signatureKey: Uint8Array
}

/** Stores the certificate. */
export async function insertCertificate(tx: Tx, signed: DestructionCertificate): Promise<void> {
  await tx.query(
    `insert into gyeol.destruction_certificate (release_id, certificate, signature, signature_key)
     values ($1::uuid, $2::text, $3::bytea, $4::bytea)`,
    [signed.releaseId, signed.certificate, signed.signature, signed.signatureKey],
  )
}

/** The certificate of a release, or undefined. */
export async function findCertificate(
  db: Queryable,
  releaseId: string,
): Promise<DestructionCertificate | undefined> {
  const { rows } = await db.query<DestructionCertificate>(
    `select release_id as "releaseId", certificate, signature, signature_key as "signatureKey"
     from gyeol.destruction_certificate where release_id = $1::uuid`,
    [releaseId],
  )
  return rows[0]
}
