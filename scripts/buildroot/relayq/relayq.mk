################################################################################
#
# relayq: installs the prebuilt binary
#
################################################################################

RELAYQ_VERSION = 0.1.0
RELAYQ_SITE = $(call qstrip,$(BR2_PACKAGE_RELAYQ_DIST))
RELAYQ_SITE_METHOD = local
RELAYQ_LICENSE = Elastic-2.0
RELAYQ_LICENSE_FILES = LICENSE

ifeq ($(BR2_x86_64),y)
RELAYQ_TARGET = x86_64-unknown-linux-gnu
else ifeq ($(BR2_aarch64),y)
RELAYQ_TARGET = aarch64-unknown-linux-gnu
else
RELAYQ_TARGET = armv7-unknown-linux-gnueabihf
endif
RELAYQ_BINARY = relayq-$(RELAYQ_VERSION)-$(RELAYQ_TARGET)

# The program stands behind the runtime in the same file: strip moves it, and the binary is broken.
ifeq ($(BR2_PACKAGE_RELAYQ)$(BR2_STRIP_strip),yy)
ifeq ($(filter relayq,$(call qstrip,$(BR2_STRIP_EXCLUDE_FILES))),)
$(error relayq must not be stripped: add relayq to BR2_STRIP_EXCLUDE_FILES)
endif
endif

# What was copied is what was built.
define RELAYQ_CHECK_SUM
	cd $(@D) && grep -F " $(RELAYQ_BINARY)" SHA256SUMS | sha256sum -c --strict -
endef
RELAYQ_POST_RSYNC_HOOKS += RELAYQ_CHECK_SUM

define RELAYQ_INSTALL_TARGET_CMDS
	$(INSTALL) -D -m 0755 $(@D)/$(RELAYQ_BINARY) $(TARGET_DIR)/usr/bin/relayq
	$(INSTALL) -D -m 0640 $(call qstrip,$(BR2_PACKAGE_RELAYQ_CONFIG)) \
		$(TARGET_DIR)/etc/relayq/relayq.toml
endef

define RELAYQ_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0644 $(@D)/relayq.service \
		$(TARGET_DIR)/usr/lib/systemd/system/relayq.service
endef

define RELAYQ_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(@D)/relayq.init $(TARGET_DIR)/etc/init.d/S50relayq
endef

define RELAYQ_INSTALL_INIT_OPENRC
	$(INSTALL) -D -m 0755 $(@D)/relayq.openrc $(TARGET_DIR)/etc/init.d/relayq
endef

define RELAYQ_USERS
	relayq -1 relayq -1 * /var/lib/relayq - - RelayQ
endef

define RELAYQ_PERMISSIONS
	/etc/relayq d 750 root relayq - - - - -
	/etc/relayq/relayq.toml f 640 root relayq - - - - -
endef

$(eval $(generic-package))
