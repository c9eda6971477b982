-- Whoever outside keeps an eye on the trail: a witness cosigns checkpoints, each only if it continues the last one it saw. A
-- project registers the witnesses it trusts, and may demand that so many of them have cosigned one checkpoint that covers
-- the building of a release before that release is approved: what a superuser then rewrites, they notice.
--
-- A cosignature is no leaf: it proves itself, and a leaf for each would make a new checkpoint to cosign, without end.

alter table gyeol.project
  add column cosignatures_min integer not null default 0
    constraint project_cosignatures_are_at_most_16 check (cosignatures_min between 0 and 16);

create table gyeol.witness (
  project_id uuid not null references gyeol.project,
  verifier_key text not null, -- name+hash+key, Ed25519 cosignature (C2SP type 0x04)
  name text not null, -- the one in the key
  registered_by uuid not null references gyeol.account,
  created_at timestamptz not null default now(),
  retired_at timestamptz, -- its cosignatures no longer count for the project
  primary key (project_id, verifier_key)
);
create unique index witness_name_is_unique on gyeol.witness (project_id, name) where retired_at is null;
create index witness_by_name on gyeol.witness (name) where retired_at is null;

create table gyeol.cosignature (
  size bigint not null references gyeol.audit_checkpoint, -- of the checkpoint
  verifier_key text not null, -- of the witness
  line text not null, -- the signature line under the note, with its newline
  signed_at timestamptz not null, -- as the witness says
  created_at timestamptz not null default now(),
  primary key (size, verifier_key)
);
create trigger cosignature_is_written_once before update or delete or truncate on gyeol.cosignature
  for each statement execute function gyeol.refuse_change();

grant select, insert, update (retired_at) on gyeol.witness to gyeol_api;
grant select, insert on gyeol.cosignature to gyeol_api;
grant select on gyeol.witness, gyeol.cosignature to gyeol_auditor;
