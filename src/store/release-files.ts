/** The files of release packages and the reviewers' findings about them. */
import type { FindingKind } from '../core/review.ts'
import type { Queryable, Tx } from './pool.ts'

export type ReleaseFile = {
  releaseId: string
  name: string
  objectId: string
  deskObjectId: string | null
  bytes: number
  rows: number | null
  sha256: Uint8Array
}

const fileColumns = `release_id as "releaseId", name, object_id as "objectId",
  desk_object_id as "deskObjectId", bytes, rows, sha256`

/** The files of a release by name. */
export async function filesOfRelease(db: Queryable, releaseId: string): Promise<ReleaseFile[]> {
  const { rows } = await db.query<ReleaseFile>(
    `select ${fileColumns} from gyeol.release_file where release_id = $1::uuid order by name`,
    [releaseId],
  )
  return rows
}

/** One file of a release, or undefined. */
export async function findReleaseFile(
  db: Queryable,
  releaseId: string,
  name: string,
): Promise<ReleaseFile | undefined> {
  const { rows } = await db.query<ReleaseFile>(
    `select ${fileColumns} from gyeol.release_file
     where release_id = $1::uuid and name = $2::text`,
    [releaseId, name],
  )
  return rows[0]
}

/** Records a file of a release. */
export async function insertReleaseFile(
  tx: Tx,
  file: Omit<ReleaseFile, 'deskObjectId'>,
): Promise<void> {
  await tx.query(
    `insert into gyeol.release_file (release_id, name, object_id, bytes, rows, sha256)
     values ($1::uuid, $2::text, $3::uuid, $4::bigint, $5::bigint, $6::bytea)`,
    [file.releaseId, file.name, file.objectId, file.bytes, file.rows, file.sha256],
  )
}

/** Records where the delivery desk finds an approved file. */
export async function saveDeskObject(
  tx: Tx,
  file: { releaseId: string; name: string; deskObjectId: string },
): Promise<void> {
  await tx.query(
    `update gyeol.release_file set desk_object_id = $3::uuid
     where release_id = $1::uuid and name = $2::text`,
    [file.releaseId, file.name, file.deskObjectId],
  )
}

export type Finding = {
  releaseId: string
  kind: FindingKind
  reviewerId: string
  reviewer: string
  verdict: 'pass' | 'fail'
  reason: string
  manifestSha256: Uint8Array
  createdAt: Date
}

/** The findings about a release in order of time. */
export async function findingsOf(db: Queryable, releaseId: string): Promise<Finding[]> {
  const { rows } = await db.query<Finding>(
    `select f.release_id as "releaseId", f.kind, f.reviewer_id as "reviewerId", a.name as reviewer,
       f.verdict, f.reason, f.manifest_sha256 as "manifestSha256", f.created_at as "createdAt"
     from gyeol.finding f join gyeol.account a on a.account_id = f.reviewer_id
     where f.release_id = $1::uuid order by f.created_at, f.kind`,
    [releaseId],
  )
  return rows
}

/** Records a finding; false if the reviewer has already given one of this kind. */
export async function insertFinding(
  tx: Tx,
  finding: Omit<Finding, 'createdAt' | 'reviewer'>,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into gyeol.finding
       (release_id, kind, reviewer_id, verdict, reason, manifest_sha256, declares_no_interest)
     values ($1::uuid, $2::text, $3::uuid, $4::text, $5::text, $6::bytea, true)
     on conflict do nothing`,
    [
      finding.releaseId,
      finding.kind,
      finding.reviewerId,
      finding.verdict,
      finding.reason,
      finding.manifestSha256,
    ],
  )
  return rowCount === 1
}
