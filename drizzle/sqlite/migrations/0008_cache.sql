CREATE TABLE `kept_things` (
	`shelf` text NOT NULL,
	`key` text NOT NULL,
	`sealed` blob NOT NULL,
	`expires_at` integer NOT NULL,
	PRIMARY KEY(`shelf`, `key`)
);
--> statement-breakpoint
CREATE INDEX `kept_things_expiry` ON `kept_things` (`shelf`,`expires_at`);--> statement-breakpoint
CREATE TABLE `savings` (
	`day` integer NOT NULL,
	`scope` text NOT NULL,
	`alias` text NOT NULL,
	`hits` integer NOT NULL,
	`saved` integer NOT NULL,
	PRIMARY KEY(`scope`, `day`, `alias`)
);
