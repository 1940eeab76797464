CREATE TABLE `grant_events` (
	`id` integer PRIMARY KEY NOT NULL,
	`grant_id` text NOT NULL,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`facts` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `grants` (
	`id` text PRIMARY KEY NOT NULL,
	`key_id` text NOT NULL,
	`alias` text NOT NULL,
	`state` text NOT NULL,
	`reason` text,
	`duration` text,
	`asked_at` integer NOT NULL,
	`decided_at` integer,
	`decided_by` text,
	`expires_at` integer
);
--> statement-breakpoint
CREATE INDEX `grants_key` ON `grants` (`key_id`,`alias`);--> statement-breakpoint
CREATE TABLE `holders` (
	`kind` text NOT NULL,
	`id` text NOT NULL,
	`name` text,
	`organization_id` text,
	`team_id` text,
	`models` text DEFAULT '[]' NOT NULL,
	`limits` text DEFAULT '{}' NOT NULL,
	`terms` text DEFAULT '{}' NOT NULL,
	`blocked` integer DEFAULT 0 NOT NULL,
	`metadata` text DEFAULT '{}' NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`kind`, `id`)
);
--> statement-breakpoint
CREATE TABLE `payers` (
	`id` integer PRIMARY KEY NOT NULL,
	`payer` text NOT NULL,
	`key` text,
	`user` text,
	`team` text,
	`organization` text,
	`project` text,
	`customer` text,
	`tags` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `payers_unique` ON `payers` (`payer`);--> statement-breakpoint
CREATE TABLE `rollups` (
	`scope` integer NOT NULL,
	`day` integer NOT NULL,
	`target` integer NOT NULL,
	`cost` integer NOT NULL,
	`requests` integer NOT NULL,
	`failed` integer NOT NULL,
	`input` integer NOT NULL,
	`cache_read` integer NOT NULL,
	`cache_write` integer NOT NULL,
	`output` integer NOT NULL,
	`reasoning` integer NOT NULL,
	PRIMARY KEY(`scope`, `day`, `target`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `payer_rollups` (
	`payer` integer NOT NULL,
	`day` integer NOT NULL,
	`target` integer NOT NULL,
	`cost` integer NOT NULL,
	`requests` integer NOT NULL,
	`failed` integer NOT NULL,
	`input` integer NOT NULL,
	`cache_read` integer NOT NULL,
	`cache_write` integer NOT NULL,
	`output` integer NOT NULL,
	`reasoning` integer NOT NULL,
	PRIMARY KEY(`day`, `payer`, `target`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `templates` (
	`id` text PRIMARY KEY NOT NULL,
	`terms` text NOT NULL,
	`limits` text DEFAULT '{}' NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `__new_charges` (
	`operation` integer NOT NULL,
	`attempt` integer NOT NULL,
	`started_at` integer NOT NULL,
	`duration_ms` integer NOT NULL,
	`first_ms` integer,
	`payer` integer NOT NULL,
	`target` integer NOT NULL,
	`price` integer NOT NULL,
	`call` integer NOT NULL,
	`outcome` integer NOT NULL,
	`status` integer NOT NULL,
	`input` integer NOT NULL,
	`cache_read` integer NOT NULL,
	`cache_write` integer NOT NULL,
	`cache_write_hour` integer NOT NULL,
	`audio_input` integer NOT NULL,
	`output` integer NOT NULL,
	`reasoning` integer NOT NULL,
	`audio_output` integer NOT NULL,
	`images` integer NOT NULL,
	`media_ms` integer NOT NULL,
	`gpu_ms` integer NOT NULL,
	`characters` integer NOT NULL,
	`searches` integer NOT NULL,
	`source` integer NOT NULL,
	`cost` integer NOT NULL,
	PRIMARY KEY(`operation`, `attempt`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `payers` (`id`, `payer`, `tags`) VALUES (0, '{"tags":[]}', '[]');
--> statement-breakpoint
-- What stood in a charge as the number of a key's word is from here on the number of its payer.
INSERT INTO `payers` (`id`, `payer`, `key`, `user`, `team`, `tags`)
	SELECT w.id, 'before 0003: ' || w.word, substr(w.word, 5), k.user_id, k.team_id, '[]'
	FROM `words` w LEFT JOIN `keys` k ON k.id = substr(w.word, 5) WHERE w.word LIKE 'key:%';
--> statement-breakpoint
INSERT INTO `__new_charges` SELECT `operation`, `attempt`, `started_at`, `duration_ms`, `first_ms`, coalesce(`key`, 0), `target`, `price`, `call`, `outcome`, `status`, `input`, `cache_read`, `cache_write`, `cache_write_hour`, 0, `output`, `reasoning`, 0, 0, 0, 0, 0, 0, `source`, `cost` FROM `charges`;
--> statement-breakpoint
DROP TABLE `charges`;
--> statement-breakpoint
ALTER TABLE `__new_charges` RENAME TO `charges`;
--> statement-breakpoint
DROP TABLE `spend`;
--> statement-breakpoint
CREATE TABLE `spend` (
	`scope` integer NOT NULL,
	`budget` integer NOT NULL,
	`window_start` integer NOT NULL,
	`cost` integer NOT NULL,
	`requests` integer NOT NULL,
	`tokens` integer NOT NULL,
	`seen` integer NOT NULL,
	PRIMARY KEY(`scope`, `budget`)
) WITHOUT ROWID;
--> statement-breakpoint
-- Sums are made anew from the charges, for every scope that they have.
CREATE TEMP TABLE `of_charge` AS
	SELECT c.operation, c.attempt, s.value AS scope FROM `charges` c
	JOIN `payers` p ON p.id = c.payer JOIN `targets` t ON t.id = c.target, json_each(json_array(
		'gateway', 'model:' || t.alias, 'provider:' || t.provider,
		'key:' || p.key, 'user:' || p.user, 'team:' || p.team)) s
	WHERE s.value IS NOT NULL;
--> statement-breakpoint
INSERT OR IGNORE INTO `words` (`word`) SELECT DISTINCT scope FROM `of_charge`;
--> statement-breakpoint
INSERT INTO `spend` SELECT w.id, 0, 0, sum(c.cost), count(*), sum(c.input + c.output), 0
	FROM `of_charge` o JOIN `charges` c ON c.operation = o.operation AND c.attempt = o.attempt
	JOIN `words` w ON w.word = o.scope GROUP BY w.id;
--> statement-breakpoint
INSERT INTO `rollups` SELECT w.id, c.started_at / 86400000, c.target, sum(c.cost), count(*),
	sum(c.outcome <> coalesce((SELECT id FROM `words` WHERE word = 'ok'), 0)), sum(c.input), sum(c.cache_read),
	sum(c.cache_write + c.cache_write_hour), sum(c.output), sum(c.reasoning)
	FROM `of_charge` o JOIN `charges` c ON c.operation = o.operation AND c.attempt = o.attempt
	JOIN `words` w ON w.word = o.scope GROUP BY w.id, c.started_at / 86400000, c.target;
--> statement-breakpoint
INSERT INTO `payer_rollups` SELECT c.payer, c.started_at / 86400000, c.target, sum(c.cost), count(*),
	sum(c.outcome <> coalesce((SELECT id FROM `words` WHERE word = 'ok'), 0)), sum(c.input), sum(c.cache_read),
	sum(c.cache_write + c.cache_write_hour), sum(c.output), sum(c.reasoning)
	FROM `charges` c GROUP BY c.payer, c.started_at / 86400000, c.target;
--> statement-breakpoint
DROP TABLE `of_charge`;
--> statement-breakpoint
DELETE FROM `facts` WHERE name LIKE 'period of %';
--> statement-breakpoint
ALTER TABLE `keys` ADD `organization_id` text;--> statement-breakpoint
ALTER TABLE `keys` ADD `project_id` text;--> statement-breakpoint
ALTER TABLE `keys` ADD `tags` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `keys` ADD `terms` text DEFAULT '{}' NOT NULL;