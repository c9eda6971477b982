/** Releases: what was asked for, the files that were made, and who takes them. */
import type { ReleaseState } from '../core/states.ts'
import type { ToldDisclosure, ToldUtility } from '../core/told-disclosure.ts'
import type { Queryable, Tx } from './pool.ts'

export type Release = {
  id: string
  projectId: string
  cohortId: string
  domain: string
  state: ReleaseState
  /** Checked by `policySchema` when the release was requested. */
  policy: unknown
  policySha256: Uint8Array
  jobId: string | null
  personsObjectId: string | null
  manifest: Record<string, unknown> | null
  manifestSha256: Uint8Array | null
  /** Ed25519 public key, 32 bytes. */
  signatureKey: Uint8Array | null
  recipientId: string
  recipient: string
  purpose: string
  place: string
  validFrom: Date | null
  validUntil: Date | null
  createdBy: string
  approvedBy: string | null
  createdAt: Date
  builtAt: Date | null
  approvedAt: Date | null
  /** Number of the leaf that holds the manifest's digest and the approval. */
  approvalLeaf: number | null
  /** C2SP tlog-proof of the leaf of its publication, once a checkpoint covers it. */
  auditProof: string | null
  /** Recalled, expired or reported as ended, whichever came first. */
  endedAt: Date | null
  endReportDueAt: Date | null
  destructionDueAt: Date | null
  destructionRequestedBy: string | null
  destructionJobId: string | null
  destroyedAt: Date | null
}

const releaseColumns = `r.release_id as id, r.project_id as "projectId", r.cohort_id as "cohortId",
  r.domain, r.state, r.policy, r.policy_sha256 as "policySha256", r.job_id as "jobId",
  r.persons_object_id as "personsObjectId", r.manifest, r.manifest_sha256 as "manifestSha256",
  r.signature_key as "signatureKey",
  r.recipient_id as "recipientId", a.name as recipient, r.purpose, r.place,
  r.valid_from as "validFrom", r.valid_until as "validUntil", r.created_by as "createdBy",
  r.approved_by as "approvedBy", r.created_at as "createdAt", r.built_at as "builtAt",
  r.approved_at as "approvedAt", r.approval_leaf as "approvalLeaf", r.audit_proof as "auditProof",
  r.ended_at as "endedAt", r.end_report_due_at as "endReportDueAt",
  r.destruction_due_at as "destructionDueAt",
  r.destruction_requested_by as "destructionRequestedBy",
  r.destruction_job_id as "destructionJobId", r.destroyed_at as "destroyedAt"`

/** The release, or undefined. */
export async function findRelease(db: Queryable, id: string): Promise<Release | undefined> {
  const { rows } = await db.query<Release>(
    `select ${releaseColumns}
     from gyeol.release r join gyeol.account a on a.account_id = r.recipient_id
     where r.release_id = $1::uuid`,
    [id],
  )
  return rows[0]
}

/** The release, held still until the transaction ends. */
export async function lockRelease(tx: Tx, id: string): Promise<Release | undefined> {
  await tx.query('select 1 from gyeol.release where release_id = $1::uuid for update', [id])
  return findRelease(tx, id)
}

/** Stores a requested release. */
export async function insertRelease(
  tx: Tx,
  release: Pick<
    Release,
    'id' | 'projectId' | 'cohortId' | 'domain' | 'policy' | 'policySha256' | 'recipientId'
  > &
    Pick<Release, 'purpose' | 'place' | 'createdBy'> & { jobId: string; validUntil: Date },
): Promise<void> {
  await tx.query(
    `insert into gyeol.release
       (release_id, project_id, cohort_id, domain, policy, policy_sha256, job_id, recipient_id,
        purpose, place, valid_until, created_by)
     values ($1::uuid, $2::uuid, $3::uuid, $4::text, $5::json, $6::bytea, $7::uuid, $8::uuid,
             $9::text, $10::text, $11::timestamptz, $12::uuid)`,
    [
      release.id,
      release.projectId,
      release.cohortId,
      release.domain,
      JSON.stringify(release.policy),
      release.policySha256,
      release.jobId,
      release.recipientId,
      release.purpose,
      release.place,
      release.validUntil,
      release.createdBy,
    ],
  )
}

/** Moves a release from one state to the next; false if it was in another. */
export async function moveRelease(
  tx: Tx,
  id: string,
  from: ReleaseState,
  to: ReleaseState,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update gyeol.release set state = $3::text where release_id = $1::uuid and state = $2::text`,
    [id, from, to],
  )
  return rowCount === 1
}

/** Records the object that maps ordinals to the release's pseudonyms, and what is told of how recognisable they are. */
export async function saveReleasePersons(
  tx: Tx,
  release: { id: string; objectId: string; disclosure: ToldDisclosure },
): Promise<void> {
  await tx.query(
    `update gyeol.release set persons_object_id = $2::uuid, disclosure = $3::jsonb
     where release_id = $1::uuid`,
    [release.id, release.objectId, JSON.stringify(release.disclosure)],
  )
}

/** What is told of a release's persons and of what it lost; each null until it is known. */
export async function disclosureOf(
  db: Queryable,
  id: string,
): Promise<{ disclosure: unknown; utility: unknown }> {
  const { rows } = await db.query<{ disclosure: unknown; utility: unknown }>(
    'select disclosure, utility from gyeol.release where release_id = $1::uuid',
    [id],
  )
  return rows[0] ?? { disclosure: null, utility: null }
}

/** Records the manifest that everything later binds to. */
export async function saveReleaseBuilt(
  tx: Tx,
  release: {
    id: string
    manifest: unknown
    manifestSha256: Uint8Array
    signatureKey: Uint8Array
  } & {
    utility: ToldUtility
  },
): Promise<void> {
  const { id, manifest, manifestSha256, signatureKey, utility } = release
  await tx.query(
    `update gyeol.release
     set state = 'built', manifest = $2::json, manifest_sha256 = $3::bytea,
         signature_key = $4::bytea, utility = $5::jsonb, built_at = now()
     where release_id = $1::uuid and state = 'queued'`,
    [id, JSON.stringify(manifest), manifestSha256, signatureKey, JSON.stringify(utility)],
  )
}

/** Records the head's approval; false if the release was not waiting for it. */
export async function saveReleaseApproved(tx: Tx, id: string, accountId: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update gyeol.release
     set state = 'approved', approved_by = $2::uuid, approved_at = now(), valid_from = now()
     where release_id = $1::uuid and state = 'built'`,
    [id, accountId],
  )
  return rowCount === 1
}

/** Records which leaf holds the approval, so that its place in the trail can be proved. */
export async function saveApprovalLeaf(tx: Tx, id: string, leaf: number): Promise<void> {
  await tx.query(
    'update gyeol.release set approval_leaf = $2::bigint where release_id = $1::uuid',
    [id, leaf],
  )
}

/** Keeps the proof that the publication is in the trail; the first one stays. */
export async function saveAuditProof(db: Queryable, id: string, proof: string): Promise<void> {
  await db.query(
    `update gyeol.release set audit_proof = $2::text
     where release_id = $1::uuid and audit_proof is null`,
    [id, proof],
  )
}
