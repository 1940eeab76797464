CREATE TABLE `audit_admin` (
	`seq` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`mac` blob NOT NULL,
	`body` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `audit_checkpoints` (
	`chain` integer NOT NULL,
	`seq` integer NOT NULL,
	`kind` text NOT NULL,
	`mac` blob NOT NULL,
	`at` integer NOT NULL,
	`signature` blob NOT NULL,
	PRIMARY KEY(`chain`, `seq`, `kind`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `audit_details` (
	`seq` integer PRIMARY KEY NOT NULL,
	`nonce` blob NOT NULL,
	`text` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `audit_requests` (
	`seq` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`mac` blob NOT NULL,
	`body` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `audit_salts` (
	`person` text PRIMARY KEY NOT NULL,
	`salt` blob NOT NULL
);
--> statement-breakpoint
CREATE TABLE `contents` (
	`request_id` text PRIMARY KEY NOT NULL,
	`key` text,
	`user` text,
	`team` text,
	`project` text,
	`customer` text,
	`at` integer NOT NULL,
	`sealed` blob NOT NULL
);
--> statement-breakpoint
CREATE INDEX `contents_at` ON `contents` (`at`);
--> statement-breakpoint
CREATE TRIGGER `audit_requests_no_change` BEFORE UPDATE ON `audit_requests` BEGIN SELECT RAISE(ABORT, 'the audit is written once'); END;
--> statement-breakpoint
CREATE TRIGGER `audit_admin_no_change` BEFORE UPDATE ON `audit_admin` BEGIN SELECT RAISE(ABORT, 'the audit is written once'); END;
--> statement-breakpoint
CREATE TRIGGER `audit_checkpoints_no_change` BEFORE UPDATE ON `audit_checkpoints` BEGIN SELECT RAISE(ABORT, 'the audit is written once'); END;
--> statement-breakpoint
CREATE TRIGGER `audit_requests_no_deletion` BEFORE DELETE ON `audit_requests` WHEN NOT EXISTS (SELECT 1 FROM `audit_checkpoints` WHERE `chain` = 1 AND `kind` = 'tombstone' AND `seq` >= OLD.`seq`) BEGIN SELECT RAISE(ABORT, 'the audit is deleted by its retention alone'); END;
--> statement-breakpoint
CREATE TRIGGER `audit_admin_no_deletion` BEFORE DELETE ON `audit_admin` WHEN NOT EXISTS (SELECT 1 FROM `audit_checkpoints` WHERE `chain` = 2 AND `kind` = 'tombstone' AND `seq` >= OLD.`seq`) BEGIN SELECT RAISE(ABORT, 'the audit is deleted by its retention alone'); END;
--> statement-breakpoint
CREATE TRIGGER `audit_checkpoints_no_deletion` BEFORE DELETE ON `audit_checkpoints` WHEN NOT EXISTS (SELECT 1 FROM `audit_checkpoints` WHERE `chain` = OLD.`chain` AND `kind` = 'tombstone' AND `seq` > OLD.`seq`) BEGIN SELECT RAISE(ABORT, 'checkpoints are deleted by the retention alone'); END;
