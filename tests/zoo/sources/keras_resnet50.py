"""ResNet50 as keras.applications has it: strides in the first 1x1, and every convolution a bias."""

from torch import nn

STAGES = {2: (64, 3), 3: (128, 4), 4: (256, 6), 5: (512, 3)}  # width, blocks
CAFFE_MEAN = (103.939, 116.779, 123.68)  # blue, green, red


class Bottleneck(nn.Module):
    def __init__(self, before, filters, stride, projected):
        super().__init__()
        self.projected = projected
        convolutions = {
            "0": (before, 4 * filters, 1, stride),
            "1": (before, filters, 1, stride),
            "2": (filters, filters, 3, 1),
            "3": (filters, 4 * filters, 1, 1),
        }
        for name, (came, goes, kernel, step) in convolutions.items():
            if name != "0" or projected:
                conv = nn.Conv2d(came, goes, kernel, step, padding=kernel // 2)
                self.add_module(f"{name}_conv", conv)
                self.add_module(f"{name}_bn", nn.BatchNorm2d(goes))

    def normalised(self, name, x):
        return self.get_submodule(f"{name}_bn")(self.get_submodule(f"{name}_conv")(x))

    def forward(self, x):
        shortcut = self.normalised("0", x) if self.projected else x
        x = self.normalised("2", self.normalised("1", x).relu()).relu()
        return (self.normalised("3", x) + shortcut).relu()


class ResNet50(nn.Module):
    """Takes images in [0, 1]; returns the features of 1/2, 1/4, 1/8, 1/16 and 1/32."""

    def build_encoder(self):
        self.conv1_conv = nn.Conv2d(3, 64, 7, 2, padding=3)
        self.conv1_bn = nn.BatchNorm2d(64)
        self.pool1 = nn.MaxPool2d(3, 2, padding=1)
        before = 64
        for stage, (filters, blocks) in STAGES.items():
            for block in range(1, blocks + 1):
                stride = 2 if block == 1 and stage > 2 else 1
                made = Bottleneck(before, filters, stride, block == 1)
                self.add_module(f"conv{stage}_block{block}", made)
                before = 4 * filters

    def encode(self, x):
        mean = x.new_tensor(CAFFE_MEAN).view(1, 3, 1, 1)
        x = 255 * x.flip(1) - mean
        x = self.conv1_bn(self.conv1_conv(x)).relu()
        found = [x]
        x = self.pool1(x)
        for stage, (_, blocks) in STAGES.items():
            for block in range(1, blocks + 1):
                x = self.get_submodule(f"conv{stage}_block{block}")(x)
            found.append(x)
        return found
