CREATE TABLE `charges` (
	`operation` integer NOT NULL,
	`attempt` integer NOT NULL,
	`started_at` integer NOT NULL,
	`duration_ms` integer NOT NULL,
	`first_ms` integer,
	`key` integer,
	`target` integer NOT NULL,
	`price` integer NOT NULL,
	`call` integer NOT NULL,
	`outcome` integer NOT NULL,
	`status` integer NOT NULL,
	`input` integer NOT NULL,
	`cache_read` integer NOT NULL,
	`cache_write` integer NOT NULL,
	`cache_write_hour` integer NOT NULL,
	`output` integer NOT NULL,
	`reasoning` integer NOT NULL,
	`source` integer NOT NULL,
	`cost` integer NOT NULL,
	PRIMARY KEY(`operation`, `attempt`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `facts` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `holds` (
	`id` integer PRIMARY KEY NOT NULL,
	`facts` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `keys` (
	`id` text PRIMARY KEY NOT NULL,
	`digest` text NOT NULL,
	`alias` text,
	`hint` text NOT NULL,
	`models` text NOT NULL,
	`max_budget` integer,
	`budget_duration` text,
	`rpm_limit` integer,
	`tpm_limit` integer,
	`max_parallel_requests` integer,
	`expires_at` integer,
	`blocked` integer DEFAULT 0 NOT NULL,
	`team_id` text,
	`user_id` text,
	`metadata` text DEFAULT '{}' NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `keys_digest` ON `keys` (`digest`);--> statement-breakpoint
CREATE UNIQUE INDEX `keys_alias` ON `keys` (`alias`);--> statement-breakpoint
CREATE TABLE `prices` (
	`id` integer PRIMARY KEY NOT NULL,
	`price` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `prices_unique` ON `prices` (`price`);--> statement-breakpoint
CREATE TABLE `spend` (
	`scope` text NOT NULL,
	`window_start` integer NOT NULL,
	`cost` integer NOT NULL,
	`requests` integer NOT NULL,
	`tokens` integer NOT NULL,
	PRIMARY KEY(`scope`, `window_start`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `targets` (
	`id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`alias` text NOT NULL,
	`provider` text NOT NULL,
	`model` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `targets_unique` ON `targets` (`name`,`alias`,`provider`,`model`);--> statement-breakpoint
CREATE TABLE `words` (
	`id` integer PRIMARY KEY NOT NULL,
	`word` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `words_unique` ON `words` (`word`);